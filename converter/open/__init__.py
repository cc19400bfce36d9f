"""A checkpoint opened: one reader per file format, each yielding facts about tensors; nothing in a file is executed.

Imports `common`, `files` and `mappings`. `source` is the entry.
"""
