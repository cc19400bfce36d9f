"""PaddleNLP's model with the checkpoint's weights, and what is recorded of it: activations, gradients,
amplification."""
