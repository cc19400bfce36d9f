"""Weights and config of a checkpoint, in every form that the recorder opens, read without the converter's code."""
