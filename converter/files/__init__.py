"""Read files safely, hostile ones too: regular files, memory maps, strict JSON, bounded protobuf; checksums and disk
space.

Imports `common`.
"""
