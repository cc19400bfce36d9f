"""`paddle2torch evaluate`: the same answers to a task's examples in Paddle and in PyTorch.

`readers` read the files of the usual data sets, `tasks` turn examples into token ids for both models and the models'
numbers into predictions, `scorers` have the metrics, `product` is the process that runs OUTPUT, `processes` divides the
texts between several, `report` has the forms of the result; `both_sides` is the course of an evaluation. It may import
`verify` and what that may import.
"""

from __future__ import annotations

from evaluation.results import Evaluation
from evaluation.run import evaluate

__all__ = ["Evaluation", "evaluate"]
