"""The reference environment: find it, install it, bundle the recorder and run it there."""
