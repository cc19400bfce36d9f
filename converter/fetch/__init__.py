"""One file over http(s) into the cache: URL, request, resume, checks of length and time.

Imports `common` and `files`. What the file is for is not known here.
"""
