"""The texts that are tokenized, PaddleNLP's tokenizer, and what is recorded of both."""
