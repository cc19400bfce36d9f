"""Readers of the data sets: each form is recognised by its content, what fits two is refused, errors name file and
line. May import the common ground and `evaluation.examples`."""
