"""What the recorder (Paddle) and the comparison (PyTorch) must do alike: seeded numbers, calls, formats, messages.

A file belongs here if both sides import it and a difference between them would make a comparison meaningless: the
coefficients of projections, which gradients are kept and how, the calls to a tokenizer, the request, the format of a
trace, the lines on standard output. It goes into the recorder's archive with the recorder, so it is Python 3.7 and
needs numpy and the standard library. It imports nothing of this project and states no fact of a model family.
"""
