"""Names of files in an OUTPUT folder that several rooms read or write."""

from __future__ import annotations

#: What was made from what, with checksums.
MANIFEST = "paddle2torch.json"
#: In the manifest: the fields of SOURCE's config that the target's class has no place for.
KEPT_FIELDS = "source_config"
#: The manifest of a PaddleNLP folder that `to-paddle` made. Another name, since such a folder is a SOURCE.
BACK_MANIFEST = "to_paddle.json"
#: The folder of a report in OUTPUT.
REPORTS = "verification"
#: PaddleNLP's weights in one file.
PDPARAMS_FILE = "model_state.pdparams"
#: All weights of a model that is not divided into shards; else the index names the shards.
SINGLE_FILE = "model.safetensors"
INDEX_FILE = "model.safetensors.index.json"
#: Weights that no PyTorch class has a place for.
EXTRAS_FILE = "release_extras.safetensors"
#: The tokenizer's files: vocabulary and sentencepiece model, then what PaddleNLP and transformers read next to them.
VOCABULARY, SENTENCEPIECE = "vocab.txt", "sentencepiece.bpe.model"
TOKENIZER_CONFIG, SPECIAL_TOKENS_MAP = "tokenizer_config.json", "special_tokens_map.json"
ADDED_TOKENS = "added_tokens.json"
TOKENIZER_SETTINGS = (TOKENIZER_CONFIG, SPECIAL_TOKENS_MAP, ADDED_TOKENS)
TOKENIZER_FILES = (VOCABULARY, SENTENCEPIECE, *TOKENIZER_SETTINGS)
#: The tokenizer of transformers' own library, in one file.
TOKENIZER_JSON = "tokenizer.json"
#: The kinds of tokenizers, as in a family.toml.
SENTENCEPIECE_KIND, WORDPIECE_KIND = "sentencepiece with vocabulary", "wordpiece"
#: Kind -> the files of OUTPUT that decide tokens by their bytes. Without the first OUTPUT has no tokenizer.
FILES_BY_KIND = {SENTENCEPIECE_KIND: (VOCABULARY, SENTENCEPIECE), WORDPIECE_KIND: (TOKENIZER_JSON,)}
