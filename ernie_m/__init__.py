"""ERNIE-M in PyTorch: `import ernie_m` registers the configuration, the models and the tokenizer with the Auto classes.

After that folders load without `trust_remote_code`. transformers 4.57 has an ErnieM of its own, with other numbers and
other tokens (docs/model.md); the registration takes its place.
"""

from __future__ import annotations

from .configuration_ernie_m import ErnieMConfig  # isort: skip - first: it names the releases that this needs

from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForMaskedLM,
    AutoModelForMultipleChoice,
    AutoModelForQuestionAnswering,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    AutoTokenizer,
)

from .modeling_ernie_m import (
    ErnieMForInformationExtraction,
    ErnieMForMaskedLM,
    ErnieMForMultipleChoice,
    ErnieMForQuestionAnswering,
    ErnieMForSequenceClassification,
    ErnieMForTokenClassification,
    ErnieMModel,
    ErnieMPreTrainedModel,
)
from .tokenization_ernie_m import ErnieMTokenizer, PaddleErnieMTokenizer

# exist_ok: in 4.57 the name ernie_m is taken by the port.
AutoConfig.register("ernie_m", ErnieMConfig, exist_ok=True)
AutoModel.register(ErnieMConfig, ErnieMModel, exist_ok=True)
AutoModelForSequenceClassification.register(ErnieMConfig, ErnieMForSequenceClassification, exist_ok=True)
AutoModelForMultipleChoice.register(ErnieMConfig, ErnieMForMultipleChoice, exist_ok=True)
AutoModelForTokenClassification.register(ErnieMConfig, ErnieMForTokenClassification, exist_ok=True)
AutoModelForQuestionAnswering.register(ErnieMConfig, ErnieMForQuestionAnswering, exist_ok=True)
AutoModelForMaskedLM.register(ErnieMConfig, ErnieMForMaskedLM, exist_ok=True)
AutoTokenizer.register(ErnieMConfig, slow_tokenizer_class=PaddleErnieMTokenizer, exist_ok=True)

__all__ = [
    "ErnieMConfig",
    "ErnieMForInformationExtraction",
    "ErnieMForMaskedLM",
    "ErnieMForMultipleChoice",
    "ErnieMForQuestionAnswering",
    "ErnieMForSequenceClassification",
    "ErnieMForTokenClassification",
    "ErnieMModel",
    "ErnieMPreTrainedModel",
    "ErnieMTokenizer",
    "PaddleErnieMTokenizer",
]
