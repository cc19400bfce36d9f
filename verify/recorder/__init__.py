"""The recorder: what PaddleNLP computes for a checkpoint, written to a trace. These modules run where Paddle is.

They need the standard library, numpy, paddle, paddlenlp and safetensors, nothing of paddle2torch and no Python newer
than 3.7. `verify` and `paddle2torch reference script` put them together into one file, which can be copied to an old
machine and is run there as `python record_paddle.py REQUEST.json`.
"""
