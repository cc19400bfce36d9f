"""OUTPUT: shards, config, tokenizer, manifest and model card, in a staging folder that is renamed when it is complete.

Imports `plan`. Every file is created through `new_files`.
"""
