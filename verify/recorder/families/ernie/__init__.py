"""ERNIE 1.0 to 3.0 and UIE: PaddleNLP's classes, names of files, quirks.

Written from PaddleNLP's sources (paddlenlp/transformers/ernie/), not from the tables.
"""
