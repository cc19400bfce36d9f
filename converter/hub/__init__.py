"""The Hugging Face Hub: one client, its errors, its token, its retries.

Imports `common`, `files` and `fetch`. The rooms `locate` and `publish` are its users.
"""
