"""The masked LM: PaddleNLP's encoder with the head of Baidu's pre-training, of Paddle's own layers.

No PaddleNLP has this class. The head is written from `get_lm_output` of PaddlePaddle/ERNIE (branch repro,
ernie/model/ernie.py): dense, activation, LayerNorm with the framework's epsilon, the table of words as the decoder, and
a bias.
"""

from __future__ import annotations

from typing import Any

NAME = "ErnieMForMaskedLM"
#: The label of a position where nothing is predicted.
IGNORED = -100
#: Module of the head -> the name of its output.
HEAD_SITES = {"dense": "lm_head.dense", "layer_norm": "lm_head.layer_norm"}


def make_masked_lm(backbone: Any) -> Any:
    """The class around an encoder, whose config it shares. Its parameters have any values."""
    import paddle
    from paddle.nn import functional

    hidden, words = backbone.config.hidden_size, backbone.config.vocab_size
    activation = getattr(functional, backbone.config.hidden_act)

    class Head(paddle.nn.Layer):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.dense = paddle.nn.Linear(hidden, hidden)
            self.layer_norm = paddle.nn.LayerNorm(hidden, epsilon=1e-5)
            self.bias = self.create_parameter([words], is_bias=True)

        def forward(self, states: Any, table: Any) -> Any:
            states = self.layer_norm(activation(self.dense(states)))
            return paddle.matmul(states, table, transpose_y=True) + self.bias

    class ErnieMForMaskedLM(paddle.nn.Layer):  # type: ignore[misc]
        base_model_prefix = "ernie_m"

        def __init__(self) -> None:
            super().__init__()
            self.ernie_m = backbone
            self.lm_head = Head()
            self.config = backbone.config

        def forward(
            self,
            input_ids: Any = None,
            position_ids: Any = None,
            attention_mask: Any = None,
            inputs_embeds: Any = None,
            labels: Any = None,
        ) -> Any:
            # PaddleNLP before 2.5 takes no inputs_embeds, and is given none.
            embeds = {} if inputs_embeds is None else {"inputs_embeds": inputs_embeds}
            states = self.ernie_m(input_ids, position_ids=position_ids, attention_mask=attention_mask, **embeds)[0]
            table = self.ernie_m.embeddings.word_embeddings.weight
            logits = self.lm_head(states, table)
            if labels is None:
                return logits
            # Paddle's cross entropy divides by ignored labels too: only the labelled rows go through the head.
            flat = labels.reshape([-1])
            rows = paddle.nonzero(flat != IGNORED).reshape([-1])
            chosen = self.lm_head(paddle.gather(states.reshape([-1, hidden]), rows), table)
            return functional.cross_entropy(chosen, paddle.gather(flat, rows)), logits

    return ErnieMForMaskedLM()
