"""`paddle2torch evaluate`: the same answers to a task's examples in Paddle and in PyTorch.

Rooms: `examples` (the types), `readers` (files of the usual data sets), `scorers` (metrics, numpy only).
"""
