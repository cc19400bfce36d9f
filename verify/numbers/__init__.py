"""OUTPUT's model run in PyTorch on the inputs of a trace: activations, gradients, tolerances, diagnosis."""
