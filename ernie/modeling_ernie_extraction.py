"""UIE (`UIE` of PaddleNLP 2.8.1, `paddlenlp/transformers/ernie/modeling.py`) on transformers' own ERNIE.

This file travels with converted weights and is loaded by `trust_remote_code`; it imports torch and transformers alone,
and is the same for transformers 4.57 and 5. What Paddle's network does otherwise than transformers' ERNIE is marked
"Paddle:".
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F
from transformers import ErnieConfig, ErnieModel
from transformers.modeling_outputs import QuestionAnsweringModelOutput
from transformers.models.ernie.modeling_ernie import ErniePreTrainedModel


class ErnieForInformationExtraction(ErniePreTrainedModel):
    """UIE: does an answer start or end at a token? Logits (Paddle: their sigmoid); positions [B, S], 1 for yes."""

    # The losses are plain means; without this the Trainer would take **extra for a promise to use its batch sizes.
    accepts_loss_kwargs = False

    def __init__(self, config: ErnieConfig) -> None:
        super().__init__(config)
        self.ernie = ErnieModel(config)
        # No loss reaches the pooler, which stays for its weights and output. DistributedDataParallel reads this name.
        self._ddp_params_and_buffers_to_ignore = [name for name, _ in self.named_parameters() if ".pooler." in name]
        self.linear_start = nn.Linear(config.hidden_size, 1)
        self.linear_end = nn.Linear(config.hidden_size, 1)
        self.post_init()

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        start_positions: Tensor | None = None,
        end_positions: Tensor | None = None,
        return_dict: bool | None = None,
        **extra: Any,
    ) -> Any:
        """Read texts: input_ids int [B, S] or inputs_embeds float [B, S, H].

        token_type_ids: 0 for the prompt, 1 for the text. attention_mask: 1 for keys to look at; without it [PAD] is
        hidden. `extra` (output_hidden_states, output_attentions, task_type_ids) goes to ErnieModel. Returns
        start_logits and end_logits [B, S], where asked for hidden_states and attentions, and with both positions
        (numbers [B, S]) their loss: the mean of two binary cross entropies. Raises a ValueError for none or both of
        input_ids and inputs_embeds, and for positions of another shape.
        """
        if (input_ids is None) == (inputs_embeds is None):
            raise ValueError("Give input_ids or inputs_embeds, and not both.")
        if input_ids is not None:
            attention_mask, inputs_embeds = self._hide_padding(input_ids, attention_mask)
        encoded = self.ernie(
            inputs_embeds=inputs_embeds,
            attention_mask=attention_mask,
            token_type_ids=token_type_ids,
            position_ids=position_ids,
            return_dict=True,
            **extra,
        )
        start_logits = self.linear_start(encoded.last_hidden_state).squeeze(-1)
        end_logits = self.linear_end(encoded.last_hidden_state).squeeze(-1)
        loss = None
        if start_positions is not None and end_positions is not None:
            start_loss = self._loss("start_positions", start_logits, start_positions)
            loss = (start_loss + self._loss("end_positions", end_logits, end_positions)) / 2
        output = QuestionAnsweringModelOutput(
            loss=loss,
            start_logits=start_logits,
            end_logits=end_logits,
            hidden_states=encoded.hidden_states,
            attentions=encoded.attentions,
        )
        return output if (self.config.return_dict if return_dict is None else return_dict) else output.to_tuple()

    def _hide_padding(self, input_ids: Tensor, attention_mask: Tensor | None) -> tuple[Tensor | None, Tensor]:
        """The mask, and the embeddings of the words [B, S, H].

        Paddle: the embedding of [PAD] is 0 whatever its row holds (padding_idx), which shows where [PAD] itself is read
        or a mask does not hide it; and without a mask it is hidden.
        """
        embeds = self.get_input_embeddings()(input_ids)
        if self.config.pad_token_id is None:
            return attention_mask, embeds
        is_padding = input_ids == self.config.pad_token_id
        mask = (~is_padding).long() if attention_mask is None else attention_mask
        return mask, embeds.masked_fill(is_padding[..., None], 0.0)

    def _loss(self, name: str, logits: Tensor, targets: Tensor) -> Tensor:
        if targets.shape != logits.shape:
            raise ValueError(f"{name} has shape {list(targets.shape)}, expected {list(logits.shape)}.")
        return F.binary_cross_entropy_with_logits(logits, targets.to(logits))


# So that save_pretrained copies this file beside the weights.
ErnieForInformationExtraction.register_for_auto_class("AutoModel")
