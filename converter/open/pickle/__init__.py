"""Paddle's pickles (`.pdparams`), read by an interpreter in which nothing can run."""
