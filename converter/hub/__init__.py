"""The Hugging Face Hub: one client for downloads and for pushes, with one table of errors, one retry and one token.

`client` calls huggingface_hub, `download` and `repository` build on it: the first reads a repository's files, the
second commits to it. `errors` has what each failure means while fetching and while publishing.

Imports `common`, `files` and `fetch`. The rooms `locate` and `publish` use it.
"""
