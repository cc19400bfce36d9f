"""The plan: which source tensor becomes which target, with every problem found before anything is written.

Pure: reads no tensor bytes and writes nothing. Imports `open` and `mappings`.
"""
