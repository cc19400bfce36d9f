"""ERNIE-M, UIE-M included: PaddleNLP's classes, the 2021 release, ERNIEKit, and transformers 4's port.

adapter.py puts the rest together as a `Family`. Nothing outside this folder imports another file of it.
"""
