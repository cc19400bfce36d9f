"""The recorder: what PaddleNLP computes for a checkpoint, written to a trace. This runs where Paddle is.

It needs the standard library, numpy, paddle, paddlenlp and safetensors, and no Python newer than 3.7. Of this project
it imports `verify.protocol` alone: neither the converter nor `mappings`, so that its numbers do not depend on what
they are compared with. Facts that the converter has too (names, config fields, rules) are stated here a second time on
purpose. `verify` and `paddle2torch reference script` put this folder into one archive
(verify/reference/bundle_recorder.py), which runs on any machine as `python record_paddle.pyz SOURCE TRACE`.

cases      the inputs: masks, positions, losses, modules that run alone
model      PaddleNLP's model with the checkpoint's weights; its activations and gradients
sources    weights and config as they are stored
tokens     the texts, and PaddleNLP's tokenizer
load       SOURCE as PaddleNLP's model, for a trace (record) and for an evaluation's job (answers)
families   what is particular to a model family, one adapter each; the other rooms name no family
"""
