"""Download one file over http(s) into the cache: address, request, resume, limits of time, checks of length and hash.

Imports `common` and `files`. It does not know what a file is for: a caller passes the check of its content.
"""
