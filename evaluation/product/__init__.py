"""The process that runs OUTPUT: its tokenizer for the arrays, its model for the answers. `start` runs in the caller,
`entry` in the process; torch and transformers are imported there alone."""
