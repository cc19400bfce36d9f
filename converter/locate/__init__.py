"""SOURCE as text to a path on this machine: a path, a built-in name, a URL or a Hub id.

Imports `fetch`, `hub` and `open`, which decides which files of a folder a conversion needs.
"""
