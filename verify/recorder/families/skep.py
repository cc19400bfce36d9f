"""SKEP on ERNIE: PaddleNLP's classes (paddlenlp/transformers/skep), whose network and tensors are ERNIE's."""

from __future__ import annotations

from verify.recorder.families.ernie.classes import Package
from verify.recorder.families.ernie.relatives import SANITY_FIELDS, make_relative, sanity_model
from verify.recorder.families.family import ModelClass

#: What constructors took by position before PaddleNLP 2.5 (2.4.2, skep/modeling.py), the encoder's first.
POSITIONAL = {
    "SkepModel": [
        *("vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "hidden_act"),
        *("hidden_dropout_prob", "attention_probs_dropout_prob", "max_position_embeddings", "type_vocab_size"),
        *("initializer_range", "pad_token_id"),
    ],
    "SkepForSequenceClassification": ["skep", "num_classes", "dropout"],
    "SkepForTokenClassification": ["skep", "num_classes", "dropout"],
}

SKEP = make_relative(
    Package("skep", "Skep"),
    {
        "SkepModel": ModelClass(),
        "SkepForSequenceClassification": ModelClass(("logits",), "sequence", may_lack_pooler=False),
        "SkepForTokenClassification": ModelClass(("logits",), "tokens", target_has_pooler=False),
    },
    tokenizer="SkepTokenizer",
    positional=POSITIONAL,
    # skep/modeling.py: _init_weights.
    epsilons={"paddlenlp": 1e-5},
    sanity=sanity_model("SkepModel", SANITY_FIELDS),
)
