"""Find SOURCE: a path, a built-in name, an http(s) address or a Hub id becomes a path on this machine.

Imports `fetch`, `hub` and `open`, which decides which files of a folder a conversion needs and checks what was fetched.
"""
