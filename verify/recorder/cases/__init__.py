"""The inputs that a model is run with, each made so that some fault of weights, fields or rules changes its outputs."""
