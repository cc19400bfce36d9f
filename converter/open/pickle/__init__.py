"""Paddle's pickles (`.pdparams`), read by an interpreter that cannot call anything. Imports `common` and `files`."""
