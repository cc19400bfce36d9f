"""One file per command: its options, the call of the library, and what is printed."""
