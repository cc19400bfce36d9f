"""The tasks, one file each: examples to a job for both models, and the models' answers to predictions and metrics.
They import neither torch nor transformers: a tokenizer is given to them."""
