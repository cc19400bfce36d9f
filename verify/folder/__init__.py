"""OUTPUT's small files: manifest, config, tokenizer files and code, compared with what `convert` writes."""
