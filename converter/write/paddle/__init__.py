"""A PaddleNLP folder out of a converted one: weights, config, tokenizer, and what was made from what."""
