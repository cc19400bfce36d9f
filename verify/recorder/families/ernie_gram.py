"""ERNIE-Gram: PaddleNLP's classes (paddlenlp/transformers/ernie_gram), whose network and tensors are ERNIE's."""

from __future__ import annotations

from verify.recorder.families.ernie.classes import Package
from verify.recorder.families.ernie.relatives import SANITY_FIELDS, make_relative, sanity_model
from verify.recorder.families.family import ModelClass

#: What constructors took by position before PaddleNLP 2.5 (2.4.2, ernie_gram/modeling.py), the encoder's first.
POSITIONAL = {
    "ErnieGramModel": [
        *("vocab_size", "embedding_size", "hidden_size", "num_hidden_layers", "num_attention_heads"),
        *("intermediate_size", "hidden_act", "hidden_dropout_prob", "attention_probs_dropout_prob"),
        *("max_position_embeddings", "type_vocab_size", "initializer_range", "pad_token_id", "rel_pos_size"),
    ],
    "ErnieGramForSequenceClassification": ["ernie_gram", "num_classes", "dropout"],
    "ErnieGramForTokenClassification": ["ernie_gram", "num_classes", "dropout"],
    "ErnieGramForQuestionAnswering": ["ernie_gram"],
}

ERNIE_GRAM = make_relative(
    Package("ernie_gram", "ErnieGram"),
    {
        "ErnieGramModel": ModelClass(),
        "ErnieGramForSequenceClassification": ModelClass(("logits",), "sequence", may_lack_pooler=False),
        "ErnieGramForTokenClassification": ModelClass(("logits",), "tokens", target_has_pooler=False),
        "ErnieGramForQuestionAnswering": ModelClass(("start_logits", "end_logits"), "span", target_has_pooler=False),
    },
    tokenizer="ErnieGramTokenizer",
    positional=POSITIONAL,
    # ernie_gram/modeling.py: _init_weights.
    epsilons={"paddlenlp": 1e-5},
    sanity=sanity_model("ErnieGramModel", dict(SANITY_FIELDS, embedding_size=SANITY_FIELDS["hidden_size"])),
    # Its forward takes the type of the ids for that of the output, and fails without ids.
    takes_vectors=False,
)
