"""ERNIE-M in PyTorch, with the numbers of PaddleNLP 2.8.1 (`paddlenlp/transformers/ernie_m/modeling.py`).

A BERT-like encoder (arXiv 2012.15674): word + position embeddings, post-norm layers, a pooler on the first token.
This file travels with converted weights and is loaded by `trust_remote_code`; it imports torch, transformers and its
configuration, and is the same for transformers 4.57 and 5. Tensors have the names of transformers 4.57's own ErnieM.
What Paddle does otherwise than one would expect is marked "Paddle:" and is described in docs/model.md of paddle2torch.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from .configuration_ernie_m import ErnieMConfig  # isort: skip - first: it names the releases that this needs

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import PreTrainedModel, modeling_outputs
from transformers import __version__ as transformers_version
from transformers.activations import ACT2FN
from transformers.modeling_layers import GradientCheckpointingLayer
from transformers.utils import logging

logger = logging.get_logger(__name__)

# Arguments that code written for other models may pass; they are taken where they ask for nothing.
CROSS_ATTENTION = ("encoder_hidden_states", "encoder_attention_mask")
NOT_SUPPORTED = ("use_cache", "past_key_values", *CROSS_ATTENTION, "head_mask", "token_type_ids")

# The label of a position where a masked LM predicts nothing.
IGNORED = -100
NO_HEAD = "ErnieM has no masked-LM head here, so there is no fill-mask (paddle2torch, docs/faq.md)."
TRANSFORMERS_4 = transformers_version.startswith("4.")


def has_values(*tensors: Tensor | None) -> bool:
    """Whether one may look at the numbers in these: not while a graph is made, and not on the meta device."""
    in_graph = torch.compiler.is_compiling() or torch.jit.is_tracing()  # type: ignore[attr-defined]
    return not in_graph and all(tensor is None or tensor.device.type != "meta" for tensor in tensors)


def asks_for_nothing(name: str, value: Any) -> bool:
    """None and False do, and token types that are all 0 (BERT's code passes them): this model has one type."""
    if name == "token_type_ids" and isinstance(value, Tensor):
        return has_values(value) and not bool(value.any())
    return value is None or value is False


def check_shape(name: str, tensor: Tensor | None, *expected: tuple[int | str, ...], or_one: bool = False) -> Tensor:
    """The tensor, if it has an expected shape. In these a word is any size; `or_one`: 1 fits all sizes but the last."""
    shape = [] if tensor is None else list(tensor.shape)
    for sizes in expected:
        # Size by size: torch.compile cannot find its symbols in a tuple.
        fits = [isinstance(want, str) or have == want or (or_one and have == 1) for have, want in zip(shape, sizes)]
        if len(shape) == len(sizes) and all(fits) and (not or_one or shape[-1] == sizes[-1]):
            return tensor  # type: ignore[return-value]
    found = "is missing" if tensor is None else f"has shape {shape}"
    wanted = " or ".join(f"[{', '.join(map(str, sizes))}]" for sizes in expected)
    raise ValueError(f"{name} {found}, expected {wanted}{' (1 for any size but the last)' if or_one else ''}.")


def check_texts(input_ids: Tensor | None, inputs_embeds: Tensor | None, *axes: int | str) -> Tensor:
    """The one that is given, if it has these axes; the last is that of embeddings only."""
    if (input_ids is None) == (inputs_embeds is None):
        raise ValueError("Give input_ids or inputs_embeds, and not both.")
    if input_ids is None:
        return check_shape("inputs_embeds", inputs_embeds, axes)
    return check_shape("input_ids", input_ids, axes[:-1])


def check_ids(name: str, ids: Tensor | None, table: nn.Embedding, first: int) -> None:
    """Raise a ValueError for ids that have no row, where looking is cheap: on the CPU. (Paddle reads row -1.)"""
    if ids is not None and ids.device.type == "cpu" and ids.numel() > 0:
        smallest, largest, last = int(ids.min()), int(ids.max()), first + table.num_embeddings - 1
        if smallest < first or largest > last:
            raise ValueError(f"{name} holds {smallest} to {largest}, allowed are {first} to {last}.")


def additive_mask(config: ErnieMConfig, mask: Tensor | None, ids: Tensor | None, dtype: torch.dtype) -> Tensor | None:
    """What is added to the attention scores, [B or 1, heads or 1, S or 1, S]; None where nothing is hidden.

    Paddle: without an attention_mask the keys whose id is in `implicit_mask_token_ids` are hidden, by default id 0,
    which is [CLS] (inputs_embeds have no ids: nothing is hidden). `implicit_mask_queries` hides every key from the rows
    of these ids too. With an attention_mask, its rank and dtype decide:
    - [B, S], any dtype: (1 - mask) * attention_mask_value. That is -1e4 and not -inf, so a row that hides every key
      equals a row that hides none.
    - [B, S, S] or [B, 1 or heads, 1 or S, S]: bool and int by (mask - 1) * 1e9, float is added as it is.
    """
    shown = None
    if mask is None:
        if ids is None or not config.implicit_mask_token_ids:
            return None
        mask = torch.stack([ids != hidden for hidden in config.implicit_mask_token_ids]).all(0)
        shown = mask[:, None, :, None] if config.implicit_mask_queries else None
    # Half precision cannot hold 1 - mask, 1e9 or the lowest float32. Each layer fits the mask to its scores.
    is_added, mask = mask.is_floating_point(), mask.to(torch.promote_types(dtype, torch.float32))
    if mask.ndim == 2:
        hide = torch.finfo(dtype).min if config.attention_mask_value is None else config.attention_mask_value
        mask = mask[:, None, None, :] if shown is None else mask[:, None, None, :] * shown
        return (1.0 - mask) * hide
    mask = mask if is_added else (mask - 1.0) * 1e9
    # Paddle takes the first axis of a 3-D mask for the heads, which only a batch of 1 survives. Here it is the batch.
    return mask[:, None] if mask.ndim == 3 else mask


def shown_tokens(config: ErnieMConfig, mask: Tensor | None, batch: int) -> tuple[Tensor, tuple[int, ...]] | None:
    """The places in [B * S] that a [B, S] mask shows, int [N], and how many each text has; None where a batch without
    its padding would not have the same numbers, or there is nothing to skip."""
    hide = config.attention_mask_value
    # exp(-1e4) is 0 in every dtype: what is hidden adds nothing. A smaller number would leave something of it.
    if mask is None or mask.ndim != 2 or not has_values(mask) or (hide is not None and hide > -1e4):
        return None
    mask = mask.expand(batch, -1)
    shown = mask == 1
    # The pooler reads the first place. A text that is all padding looks at all of it.
    if not bool(((mask == 0) | shown).all() & shown[:, 0].all()) or bool(shown.all()):
        return None
    return shown.flatten().nonzero().squeeze(1), tuple(shown.sum(1).tolist())


class ErnieMEmbeddings(nn.Module):
    """Word + position, LayerNorm, dropout: int [B, S] (or float [B, S, H]) to float [B, S, H]."""

    def __init__(self, config: ErnieMConfig) -> None:
        super().__init__()
        self.position_offset = config.position_offset
        # No padding_idx: Paddle has none, and with one the row of [PAD] would get no gradient.
        self.word_embeddings = nn.Embedding(config.vocab_size, config.hidden_size)
        self.position_embeddings = nn.Embedding(config.max_position_embeddings, config.hidden_size)
        self.layer_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(
        self, input_ids: Tensor | None, position_ids: Tensor | None = None, inputs_embeds: Tensor | None = None
    ) -> Any:
        embeds = self.word_embeddings(input_ids) if inputs_embeds is None else inputs_embeds
        if position_ids is None:
            position_ids = torch.arange(embeds.shape[1], device=embeds.device)
        # Paddle: 2 is added to every position, also to those that the caller gives (whose tensor stays as it is).
        embeds = embeds + self.position_embeddings(position_ids + self.position_offset)
        return self.dropout(self.layer_norm(embeds))


class ErnieMAttention(nn.Module):
    """Attention and its output projection: [B, S, H] to ([B, S, H], probabilities [B, heads, S, S] if asked for).

    A tuple in the place of the mask has the lengths of texts that stand one behind the other in states [1, N, H]: each
    looks at itself.
    """

    def __init__(self, config: ErnieMConfig) -> None:
        super().__init__()
        self.config = config  # its attn_implementation may change after the model is made
        self.head_size = config.hidden_size // config.num_attention_heads
        # A dictionary, so that the weights have the port's names: self_attn.self_attn.q_proj.
        size, names = config.hidden_size, ("q_proj", "k_proj", "v_proj")
        self.self_attn = nn.ModuleDict({name: nn.Linear(size, size) for name in names})
        self.out_proj = nn.Linear(size, size)
        self.dropout = nn.Dropout(config.attention_probs_dropout_prob)

    def forward(self, states: Tensor, mask: Any = None, output_attentions: bool = False) -> Any:
        query, key, value = (
            project(states).unflatten(-1, (-1, self.head_size)).transpose(1, 2) for project in self.self_attn.values()
        )
        if isinstance(mask, tuple):
            texts = zip(query.split(mask, 2), key.split(mask, 2), value.split(mask, 2))
            parts = [self._attend(text_query, text_key, text_value) for text_query, text_key, text_value in texts]
            return self.out_proj(torch.cat([context for context, _ in parts], 1)), None
        context, weights = self._attend(query, key, value, mask, output_attentions)
        return self.out_proj(context), weights

    def _attend(
        self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None, output_attentions: bool = False
    ) -> tuple[Tensor, Tensor | None]:
        """What each token read, [B, S, H], from [B, heads, S, H / heads]; and the probabilities."""
        if mask is not None and mask.dtype != query.dtype:  # half precision, autocast
            # The scores are added to it and must not reach -inf: half of the lowest number.
            mask = mask.clamp(min=torch.finfo(query.dtype).min / 2).to(query.dtype)
        weights = None
        # sdpa never forms the probabilities: a call that wants to see them takes the eager way.
        if output_attentions or self.config._attn_implementation == "eager":
            scores = torch.matmul(query * self.head_size**-0.5, key.transpose(-1, -2))
            scores = scores if mask is None else scores.add_(mask)  # in place: no second [B, heads, S, S]
            weights = self.dropout(F.softmax(scores, dim=-1))
            context = torch.matmul(weights, value)
        else:
            dropout = self.dropout.p if self.training else 0.0
            context = F.scaled_dot_product_attention(query, key, value, mask, dropout)
        return context.transpose(1, 2).flatten(-2), weights if output_attentions else None


class ErnieMEncoderLayer(GradientCheckpointingLayer):
    """Attention, add, norm1, feed-forward, add, norm2: [B, S, H] to ([B, S, H], probabilities or None)."""

    def __init__(self, config: ErnieMConfig) -> None:
        super().__init__()
        self.self_attn = ErnieMAttention(config)
        self.linear1 = nn.Linear(config.hidden_size, config.intermediate_size)
        self.activation = ACT2FN[config.hidden_act]
        # Paddle has no dropout here (0.0); the field is for those who trained with the port's.
        self.dropout = nn.Dropout(config.hidden_dropout_prob if config.act_dropout is None else config.act_dropout)
        self.linear2 = nn.Linear(config.intermediate_size, config.hidden_size)
        self.norm1 = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.norm2 = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout1 = nn.Dropout(config.hidden_dropout_prob)
        self.dropout2 = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, states: Tensor, mask: Any = None, output_attentions: bool = False) -> Any:
        attended, weights = self.self_attn(states, mask, output_attentions)
        states = self.norm1(states + self.dropout1(attended))
        widened = self.dropout(self.activation(self.linear1(states)))
        return self.norm2(states + self.dropout2(self.linear2(widened))), weights


class ErnieMEncoder(nn.Module):
    """All layers: the last state [B, S, H], and where asked for all states (the embeddings first) and probabilities."""

    def __init__(self, config: ErnieMConfig) -> None:
        super().__init__()
        self.layers = nn.ModuleList(ErnieMEncoderLayer(config) for _ in range(config.num_hidden_layers))

    def forward(self, state: Tensor, mask: Any, output_attentions: bool, output_hidden_states: bool) -> Any:
        states: Any = (state,) if output_hidden_states else None
        attentions: Any = () if output_attentions else None
        for layer in self.layers:
            state, weights = layer(state, mask, output_attentions)
            if output_hidden_states:
                states += (state,)
            if output_attentions:
                attentions += (weights,)
        return modeling_outputs.BaseModelOutput(state, states, attentions)


class ErnieMPreTrainedModel(PreTrainedModel):
    """What all classes share. transformers makes new weights as Paddle does: normal, biases 0, norms 1 and 0."""

    config: ErnieMConfig
    config_class = ErnieMConfig
    base_model_prefix = "ernie_m"
    supports_gradient_checkpointing = True
    _supports_sdpa = True
    # For device_map: a sum of two parts cannot be on two devices.
    _no_split_modules = ["ErnieMEmbeddings", "ErnieMEncoderLayer"]  # noqa: RUF012
    # The losses are plain means; without this the Trainer would take **extra for a promise to use its batch sizes.
    accepts_loss_kwargs = False

    def __init__(self, config: ErnieMConfig, *inputs: Any, **kwargs: Any) -> None:
        if not hasattr(config, "check_values"):
            raise TypeError(f"{type(config)} is not this model's ErnieMConfig: use its from_dict(config.to_dict()).")
        config.check_values()
        super().__init__(config, *inputs, **kwargs)

    def _returned(self, return_dict: bool | None, output_class: Any, encoded: Any, *parts: Tensor | None) -> Any:
        """An output, or the tuple of what it holds (Paddle gives a bare tensor where that tuple has one element)."""
        output = output_class(*parts, encoded.hidden_states, encoded.attentions)
        return output if (self.config.return_dict if return_dict is None else return_dict) else output.to_tuple()

    def skip_padding(self, skip: bool = True) -> None:
        """Compute nothing for what a 2-D attention_mask of 0 and 1 hides: texts have the same numbers, up to rounding,
        and every state behind a layer is 0 at padding. Nothing of it is saved. A call that asks for attentions, a text
        whose first token is hidden and a graph are computed whole. A loss must not read logits at padding."""
        encoder: Any = self.base_model
        encoder._skips_padding = skip

    @classmethod
    def _can_set_attn_implementation(cls) -> bool:
        return True  # transformers guesses it from words in the source

    def prune_heads(self, heads_to_prune: dict[int, list[int]]) -> None:
        raise NotImplementedError("ErnieM: heads cannot be pruned, no Paddle model could have such weights.")


class ErnieMModel(ErnieMPreTrainedModel):
    """The encoder with its pooler (`add_pooling_layer`, by default as the configuration says)."""

    def __init__(self, config: ErnieMConfig, add_pooling_layer: bool | None = None) -> None:
        super().__init__(config)
        with_pooler = config.add_pooling_layer if add_pooling_layer is None else add_pooling_layer
        self.embeddings = ErnieMEmbeddings(config)
        self.encoder = ErnieMEncoder(config)
        # The pooler is tanh of a linear map of the first token: [B, H] to [B, H].
        pooler = OrderedDict(dense=nn.Linear(config.hidden_size, config.hidden_size), tanh=nn.Tanh())
        self.pooler = nn.Sequential(pooler) if with_pooler else None
        self._looked_for_padding = self._skips_padding = False
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.embeddings.word_embeddings

    def set_input_embeddings(self, value: nn.Module) -> None:
        self.embeddings.word_embeddings = value  # type: ignore[assignment]

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        **extra: Any,
    ) -> Any:
        """Encode texts: input_ids int [B, S], or inputs_embeds float [B, S, H]; S is at most 512.

        attention_mask: 1 for keys to look at, [B, S] or as `additive_mask` says. position_ids: int [B, S], [1, S] or
        [S], from 0. Returns last_hidden_state [B, S, H], pooler_output [B, H] if there is a pooler, and where asked for
        hidden_states (the embeddings, then each layer) and attentions (probabilities [B, heads, S, S] of each layer).
        ValueError: wrong shapes, too many tokens, ids outside the tables (CPU only), unsupported arguments.
        """
        self._check(input_ids, attention_mask, position_ids, inputs_embeds, extra)
        embeddings = self.embeddings(input_ids, position_ids, inputs_embeds)
        with_attentions = bool(self.config.output_attentions if output_attentions is None else output_attentions)
        with_states = self.config.output_hidden_states if output_hidden_states is None else output_hidden_states
        shown = None
        if self._skips_padding and not with_attentions:
            shown = shown_tokens(self.config, attention_mask, embeddings.shape[0])
        if shown is None:
            mask = additive_mask(self.config, attention_mask, input_ids, embeddings.dtype)
            encoded = self.encoder(embeddings, mask, with_attentions, with_states)
        else:
            encoded = self._encode_shown(embeddings, *shown, bool(with_states))
        last = encoded.last_hidden_state
        pooled = None if self.pooler is None else self.pooler(last[:, 0])
        return self._returned(return_dict, modeling_outputs.BaseModelOutputWithPooling, encoded, last, pooled)

    def _encode_shown(self, embeddings: Tensor, places: Tensor, lengths: tuple[int, ...], with_states: bool) -> Any:
        """The encoder on the tokens at these places in [B * S]; states are 0 everywhere else."""
        shape, embeddings = embeddings.shape, embeddings.flatten(0, 1)

        def put_back(state: Tensor) -> Tensor:
            return torch.zeros_like(embeddings).index_copy(0, places, state[0].to(embeddings.dtype)).view(shape)

        encoded = self.encoder(embeddings[places][None], lengths, False, with_states)
        states = encoded.hidden_states and tuple(map(put_back, encoded.hidden_states))
        # As everywhere, the last of the states is the last hidden state, and not a copy.
        last = states[-1] if states else put_back(encoded.last_hidden_state)
        return modeling_outputs.BaseModelOutput(last, states)

    def _check(self, input_ids: Any, mask: Any, position_ids: Any, inputs_embeds: Any, extra: dict[str, Any]) -> None:
        """Raise for arguments that this model cannot take; warn of padding without a mask."""
        for name, value in extra.items():
            if name not in NOT_SUPPORTED:
                raise TypeError(f"forward() got an unexpected keyword argument {name!r}")
            if not asks_for_nothing(name, value):
                raise ValueError(f"Leave {name} out: ERNIE-M has no cache, cross-attention, head mask or token types.")
        batch, length = check_texts(input_ids, inputs_embeds, "B", "S", self.config.hidden_size).shape[:2]
        words, places = self.embeddings.word_embeddings, self.embeddings.position_embeddings
        first = -self.embeddings.position_offset
        longest = places.num_embeddings + first
        if length == 0 or (length > longest and position_ids is None):
            raise ValueError(f"{length} tokens: this model takes 1 to {longest}. Truncate them (max_length={longest}).")
        if position_ids is not None:
            check_shape("position_ids", position_ids, (batch, length), (1, length), (length,))
        if mask is not None:
            full = (batch, self.config.num_attention_heads, length, length)
            check_shape("attention_mask", mask, (batch, length), (batch, length, length), full, or_one=True)
        if has_values():
            check_ids("input_ids", input_ids, words, 0)
            check_ids("position_ids", position_ids, places, first)
            if mask is None and input_ids is not None:
                self._warn_of_padding(input_ids)

    def _warn_of_padding(self, input_ids: Tensor) -> None:
        """Warn once that without a mask the numbers depend on the padding, as they do in Paddle."""
        pad, hidden, device = self.config.pad_token_id, self.config.implicit_mask_token_ids, input_ids.device.type
        if self._looked_for_padding or pad is None or pad in hidden:
            return
        # On an accelerator looking means waiting for it, so only the first call looks. (meta has no values.)
        found = device != "meta" and bool((input_ids == pad).any())
        self._looked_for_padding = found or device != "cpu"
        if found:
            logger.warning(
                f"ErnieM: input_ids hold [PAD] ({pad}), there is no attention_mask. As in PaddleNLP only ids {hidden} "
                "are hidden: the numbers depend on the padding. Set implicit_mask_token_ids=[0, 1], or pass a mask."
            )


class ErnieMLabelHead(ErnieMPreTrainedModel):
    """What the classes with `labels` share: dropout and a linear layer on the pooled output or on every token."""

    on_pooled = True
    width: int | None = None  # of the linear layer; None is num_labels
    output_class: type[Any]

    def __init__(self, config: ErnieMConfig) -> None:
        super().__init__(config)
        self.num_labels: int = self.width or config.num_labels  # type: ignore[assignment]
        self.ernie_m = ErnieMModel(config, add_pooling_layer=self.on_pooled)
        dropout = config.hidden_dropout_prob if config.classifier_dropout is None else config.classifier_dropout
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(config.hidden_size, self.num_labels)
        self.post_init()

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        **extra: Any,
    ) -> Any:
        """Inputs as ErnieMModel's, `labels` as the class says; loss if labels, logits, hidden_states, attentions."""
        texts, shape = self._texts(input_ids, attention_mask, position_ids, inputs_embeds)
        encoded = self.ernie_m(*texts, output_attentions, output_hidden_states, True, **extra)
        logits = self.classifier(self.dropout(encoded.pooler_output if self.on_pooled else encoded.last_hidden_state))
        logits = logits if shape is None else logits.view(shape)
        loss = None if labels is None else self._loss(logits, labels)
        return self._returned(return_dict, self.output_class, encoded, loss, logits)

    def _texts(self, *texts: Tensor | None) -> Any:
        """The first four arguments as the encoder takes them, and the shape of the logits if it is another."""
        return texts, None

    def _loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Cross entropy with one class for each row of the logits; -100 is left out of the mean. Labels may be flat."""
        rows = tuple(logits.shape[:-1])
        check_shape("labels", labels, rows, (*rows, 1), *([(rows[0] * rows[1],)] if len(rows) == 2 else []))
        return F.cross_entropy(logits.flatten(0, -2), labels.reshape(-1).to(logits.device, torch.long))


class ErnieMForSequenceClassification(ErnieMLabelHead):
    """A class, several labels at once, or numbers for a text: logits [B, num_labels].

    labels: classes [B], or numbers for "regression" and "multi_label_classification" [B, num_labels]. The loss follows
    config.problem_type, which the first call with labels sets where it is None.
    """

    output_class = modeling_outputs.SequenceClassifierOutput

    def _loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        if self.config.problem_type is None:  # kept in the configuration, where pipelines look for it
            kind = "single_label" if labels.dtype in (torch.int64, torch.int32) else "multi_label"
            kind = "regression" if self.num_labels == 1 else f"{kind}_classification"
            self.config.problem_type = kind  # type: ignore[assignment]
        if self.config.problem_type == "single_label_classification":
            return super()._loss(logits, labels)
        labels = labels[:, None] if self.num_labels == 1 and labels.ndim == 1 else labels
        check_shape("labels", labels, tuple(logits.shape))
        is_number = self.config.problem_type == "regression"
        return (F.mse_loss if is_number else F.binary_cross_entropy_with_logits)(logits, labels.to(logits))


class ErnieMForTokenClassification(ErnieMLabelHead):
    """A class for every token: logits [B, S, num_labels], labels int [B, S], -100 is left out of the mean."""

    on_pooled = False
    output_class = modeling_outputs.TokenClassifierOutput


class ErnieMForMultipleChoice(ErnieMLabelHead):
    """One of several texts: input_ids int [B, choices, S], logits [B, choices], labels int [B].

    inputs_embeds [B, choices, S, H], position_ids [B, choices, S], and attention_mask [B, choices, ...] with what
    ErnieMModel takes behind. A mask with one number for each token is a 2-D mask, whatever its rank (Paddle).
    """

    width = 1
    output_class = modeling_outputs.MultipleChoiceModelOutput

    def _texts(self, *texts: Tensor | None) -> Any:
        input_ids, mask, position_ids, inputs_embeds = texts
        given = check_texts(input_ids, inputs_embeds, "B", "choices", "S", self.config.hidden_size)
        choices = given.shape[:2]
        if mask is not None and mask.numel() == given.shape[:3].numel():
            mask = mask.reshape(-1, given.shape[2])
        elif mask is not None and mask.shape[:2] == choices:
            mask = mask.flatten(0, 1)
        ids, positions, embeds = (
            tensor if tensor is None or tensor.ndim < 3 else tensor.flatten(0, 1)
            for tensor in (input_ids, position_ids, inputs_embeds)
        )
        return (ids, mask, positions, embeds), choices


class ErnieMSpanHead(ErnieMPreTrainedModel):
    """What the classes for parts of a text share: start_logits and end_logits [B, S], and the mean of both losses."""

    ernie_m: ErnieMModel
    _logits: Any
    _loss: Any

    def skip_padding(self, skip: bool = True) -> None:
        if skip:
            raise ValueError("ErnieM: the losses for parts of a text read the logits at padding, as Paddle's do.")
        super().skip_padding(False)

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        start_positions: Tensor | None = None,
        end_positions: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        **extra: Any,
    ) -> Any:
        """Inputs as ErnieMModel's, the positions as the class says; with only one of them there is no loss (Paddle)."""
        texts = (input_ids, attention_mask, position_ids, inputs_embeds)
        encoded = self.ernie_m(*texts, output_attentions, output_hidden_states, True, **extra)
        start_logits, end_logits = self._logits(encoded.last_hidden_state)
        loss = None
        if start_positions is not None and end_positions is not None:
            start_loss = self._loss("start_positions", start_logits, start_positions)
            loss = (start_loss + self._loss("end_positions", end_logits, end_positions)) / 2
        output_class = modeling_outputs.QuestionAnsweringModelOutput
        return self._returned(return_dict, output_class, encoded, loss, start_logits, end_logits)


class ErnieMForQuestionAnswering(ErnieMSpanHead):
    """The first and the last token of an answer. Positions int [B], clamped to 0..S; S is left out of the mean.

    The layer has two outputs whatever config.num_labels says, as in Paddle.
    """

    def __init__(self, config: ErnieMConfig) -> None:
        super().__init__(config)
        if config.num_labels != 2:
            logger.warning(f"ErnieM: config.num_labels {config.num_labels} is not used: there are two outputs.")
        self.ernie_m = ErnieMModel(config, add_pooling_layer=False)
        self.qa_outputs = nn.Linear(config.hidden_size, 2)  # Paddle calls it classifier
        self.post_init()

    def _logits(self, hidden_states: Tensor) -> Any:
        return self.qa_outputs(hidden_states).unbind(-1)

    def _loss(self, name: str, logits: Tensor, positions: Tensor | None) -> Tensor:
        batch, length = logits.shape
        rows = check_shape(name, positions, (batch,), (batch, 1)).reshape(-1).to(logits.device, torch.long)
        return F.cross_entropy(logits, rows.clamp(0, length), ignore_index=length)


class ErnieMForInformationExtraction(ErnieMSpanHead):
    """UIE-M: does an answer start or end at a token? Logits (Paddle: their sigmoid); positions [B, S], 1 for yes."""

    def __init__(self, config: ErnieMConfig) -> None:
        super().__init__(config)
        self.ernie_m = ErnieMModel(config)
        # No loss reaches the pooler, which stays for its weights and output. DistributedDataParallel reads this name.
        self._ddp_params_and_buffers_to_ignore = [name for name, _ in self.named_parameters() if ".pooler." in name]
        self.linear_start = nn.Linear(config.hidden_size, 1)
        self.linear_end = nn.Linear(config.hidden_size, 1)
        self.post_init()

    def _logits(self, hidden_states: Tensor) -> Any:
        return self.linear_start(hidden_states).squeeze(-1), self.linear_end(hidden_states).squeeze(-1)

    def _loss(self, name: str, logits: Tensor, targets: Tensor | None) -> Tensor:
        return F.binary_cross_entropy_with_logits(logits, check_shape(name, targets, tuple(logits.shape)).to(logits))


class ErnieMLMHead(nn.Module):
    """Dense, activation, LayerNorm, and the table of words as the decoder: [..., H] to [..., V]. XLM-R's names.

    The head of Baidu's pre-training (`ernie/model/ernie.py:get_lm_output` of PaddlePaddle/ERNIE, branch repro).
    """

    def __init__(self, config: ErnieMConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.activation = ACT2FN[config.hidden_act]
        self.layer_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.decoder = nn.Linear(config.hidden_size, config.vocab_size)
        # One parameter under two names (`_tied_weights_keys`): resize_token_embeddings, which knows the decoder,
        # resizes both. transformers 5 shares it by itself, and wants to.
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))
        if TRANSFORMERS_4:
            self.decoder.bias = self.bias

    def forward(self, states: Tensor) -> Any:
        return self.decoder(self.layer_norm(self.activation(self.dense(states))))

    def _tie_weights(self) -> None:
        """transformers 4 calls this where the two biases may have come apart."""
        if self.decoder.bias.device.type == "meta":
            self.decoder.bias = self.bias
        else:
            self.bias = self.decoder.bias


class ErnieMForMaskedLM(ErnieMPreTrainedModel):
    """The word behind each [MASK]: logits [B, S, vocab_size]. No pooler.

    labels: int [B, S], the word of a position, or -100 where nothing is predicted. The loss is the mean over the N
    labelled positions of the batch, or their sum by `num_items_in_batch` (what the Trainer counts over all processes
    and accumulated batches). In training the head runs on the labelled positions alone (512 tokens of logits are half a
    gigabyte): `logits` are then [N, vocab_size], in the order of `labels[labels != -100]`. `full_logits` chooses.
    """

    # transformers 5 maps the copy to the original, 4 lists the copies.
    _tied_weights_keys: Any = {  # noqa: RUF012
        "lm_head.decoder.weight": "ernie_m.embeddings.word_embeddings.weight",
        "lm_head.decoder.bias": "lm_head.bias",
    }
    if TRANSFORMERS_4:
        _tied_weights_keys = list(_tied_weights_keys)
    accepts_loss_kwargs = True

    def __init__(self, config: ErnieMConfig) -> None:
        if not config.tie_word_embeddings:  # no release has such a head, and transformers 5 would untie the bias too
            raise ValueError("ErnieM: tie_word_embeddings is False, expected True: the decoder is the table of words.")
        super().__init__(config)
        self.ernie_m = ErnieMModel(config, add_pooling_layer=False)
        self.lm_head = ErnieMLMHead(config)
        self.post_init()

    @classmethod
    def from_pretrained(cls, *inputs: Any, new_head: bool = False, output_loading_info: bool = False, **kw: Any) -> Any:
        """As for every class, but AttributeError where the files have no whole head: the words that a head of random
        numbers gives look like answers. `new_head` makes one all the same, to be trained."""
        loaded: Any = super().from_pretrained(*inputs, output_loading_info=True, **kw)
        model, report = loaded
        missing = sorted(name for name in report["missing_keys"] if name.startswith("lm_head."))
        if missing and not new_head:
            raise AttributeError(f"{NO_HEAD} Missing: {', '.join(missing)}. To train a new head, pass new_head=True.")
        return (model, report) if output_loading_info else model

    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if isinstance(module, ErnieMLMHead):
            nn.init.zeros_(module.bias)

    def get_output_embeddings(self) -> Any:
        return self.lm_head.decoder

    def set_output_embeddings(self, new_embeddings: Any) -> None:
        self.lm_head.decoder = new_embeddings

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        full_logits: bool | None = None,
        num_items_in_batch: Tensor | int | None = None,
        **extra: Any,
    ) -> Any:
        """Inputs as ErnieMModel's, the rest as the class says; loss if labels, logits, hidden_states, attentions."""
        texts = (input_ids, attention_mask, position_ids, inputs_embeds)
        encoded = self.ernie_m(*texts, output_attentions, output_hidden_states, True, **extra)
        states, loss = encoded.last_hidden_state, None
        if labels is not None:
            labels = check_shape("labels", labels, tuple(states.shape[:2])).to(states.device, torch.long)
            if not (not self.training if full_logits is None else full_logits):
                states, labels = states[labels != IGNORED], labels[labels != IGNORED]
        logits = self.lm_head(states)
        if labels is not None:
            loss = self._loss(logits.flatten(0, -2), labels.flatten(), num_items_in_batch)
        return self._returned(return_dict, modeling_outputs.MaskedLMOutput, encoded, loss, logits)

    def _loss(self, logits: Tensor, labels: Tensor, count: Tensor | int | None) -> Tensor:
        """Cross entropy, of rows [N, V] with labels [N]; the mean, or the sum by a count."""
        labels = labels.to(logits.device)
        if count is None:
            return F.cross_entropy(logits, labels, ignore_index=IGNORED)
        summed = F.cross_entropy(logits, labels, ignore_index=IGNORED, reduction="sum")
        return summed / (count.to(summed.device) if isinstance(count, Tensor) else count)


class ErnieMHasNoMaskedLM(ErnieMPreTrainedModel):
    """What AutoModelForMaskedLM finds in a folder without the head. Else 4.57's `pipeline("fill-mask")` takes its port
    in silence, with a head of random numbers."""

    def __init__(self, config: ErnieMConfig) -> None:
        # Not one of the errors for which `pipeline` tries another class.
        raise AttributeError(NO_HEAD)


# So that save_pretrained copies this file beside the weights. Information extraction has no Auto class of its own.
for _name in ("MaskedLM", "SequenceClassification", "MultipleChoice", "TokenClassification", "QuestionAnswering"):
    globals()[f"ErnieMFor{_name}"].register_for_auto_class(f"AutoModelFor{_name}")
ErnieMModel.register_for_auto_class()
ErnieMForInformationExtraction.register_for_auto_class()
