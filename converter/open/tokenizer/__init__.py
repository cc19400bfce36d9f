"""The tokenizer's files next to the weights: vocabulary, sentencepiece model, settings and added tokens."""
