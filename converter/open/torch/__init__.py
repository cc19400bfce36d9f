"""Files of `torch.save`: looked at first, then read by torch's own weights_only loader."""
