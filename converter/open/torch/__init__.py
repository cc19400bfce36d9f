"""Files of `torch.save`: checked first, then read by torch's own weights_only loader."""
