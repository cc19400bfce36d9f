"""From the names in a file to PaddleNLP's keys: release names, auto-generated names, prefixes.

The names themselves are data in `mappings`.
"""
