"""The tokenizer's files beside the weights: vocabulary, sentencepiece model, settings and added tokens."""
