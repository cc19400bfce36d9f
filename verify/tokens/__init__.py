"""OUTPUT's tokenizer against the tokens that PaddleNLP gave."""
