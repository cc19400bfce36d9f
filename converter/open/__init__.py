"""Open a checkpoint: one reader per file format, which returns facts about the tensors. Nothing in a file is executed.

Imports `common`, `files` and `mappings`. `source` is the entry.
"""
