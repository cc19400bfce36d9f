"""Edits of OUTPUT's code, each of which disables one rule of Paddle's in docs/model.md and docs/tokenizer.md.

name -> the class whose folder is edited, the file, the text and what takes its place. All of the text's places are
edited; that it is there at all is asserted when the edit is made.
"""

from __future__ import annotations

MODEL, TOKENIZER = "modeling_ernie_m.py", "tokenization_ernie_m.py"
BASE, SEQUENCE, TOKEN = "ErnieMModel", "ErnieMForSequenceClassification", "ErnieMForTokenClassification"
QA, CHOICE, UIEM = "ErnieMForQuestionAnswering", "ErnieMForMultipleChoice", "UIEM"
Edit = tuple[str, str, str, str]

MASKS: dict[str, Edit] = {
    "without a mask [PAD] is hidden": (BASE, MODEL, "in config.implicit_mask_token_ids]", "in [1]]"),
    "without a mask nothing is hidden": (BASE, MODEL, "if ids is None or not", "if True or not"),
    "a hidden key is minus infinity": (BASE, MODEL, "(1.0 - mask) * hide", "(1.0 - mask) * -1e9"),
    "2-D masks are cut to 0 and 1": (BASE, MODEL, "(1.0 - mask) * hide", "(1.0 - (mask > 0).to(mask)) * hide"),
    "2-D masks in single precision": (
        BASE,
        MODEL,
        "mask.to(torch.promote_types(dtype, torch.float32))",
        "mask.to(torch.float32)",
    ),
    "4-D integer masks are added": (BASE, MODEL, "mask if is_added else (mask - 1.0) * 1e9", "mask"),
    "4-D float masks are 1 for attend": (BASE, MODEL, "mask if is_added else (mask - 1.0) * 1e9", "(mask - 1.0) * 1e9"),
    "sdpa without the mask": (BASE, MODEL, "(query, key, value, mask, dropout)", "(query, key, value, None, dropout)"),
}
POSITIONS: dict[str, Edit] = {
    "positions start at 0": (BASE, MODEL, "position_ids + self.position_offset", "position_ids"),
    "positions are added in place": (
        BASE,
        MODEL,
        "position_ids + self.position_offset",
        "position_ids.add_(self.position_offset)",
    ),
    "only one's own positions start at 2": (
        BASE,
        MODEL,
        "position_ids = torch.arange(embeds.shape[1], device=embeds.device)",
        "position_ids = torch.arange(embeds.shape[1], device=embeds.device) - 2 + self.position_offset\n"
        "        else:\n            position_ids = position_ids - self.position_offset",
    ),
    "rows before the first are refused": (
        BASE,
        MODEL,
        'check_ids("position_ids", position_ids, places, first)',
        'check_ids("position_ids", position_ids, places, 0)',
    ),
    "the longest text is refused": (
        BASE,
        MODEL,
        "longest = places.num_embeddings + first",
        "longest = places.num_embeddings + first - 1",
    ),
}
LAYERS: dict[str, Edit] = {
    "Python's epsilon in the embeddings": (
        BASE,
        MODEL,
        "self.layer_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)",
        "self.layer_norm = nn.LayerNorm(config.hidden_size, eps=1e-5)",
    ),
    "Python's epsilon in a layer": (
        BASE,
        MODEL,
        "self.norm2 = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)",
        "self.norm2 = nn.LayerNorm(config.hidden_size, eps=1e-5)",
    ),
    "[PAD] has no gradient": (
        BASE,
        MODEL,
        "nn.Embedding(config.vocab_size, config.hidden_size)",
        "nn.Embedding(config.vocab_size, config.hidden_size, padding_idx=1)",
    ),
    "norm before the sum": (
        BASE,
        MODEL,
        "self.norm1(states + self.dropout1(attended))",
        "states + self.norm1(self.dropout1(attended))",
    ),
    "gelu by tanh": (BASE, MODEL, "ACT2FN[config.hidden_act]", 'ACT2FN["gelu_new"]'),
    "another scale": (BASE, MODEL, "self.head_size**-0.5", "self.head_size**-0.25"),
    "another scale with sdpa": (
        BASE,
        MODEL,
        "(query, key, value, mask, dropout)",
        "(query, key, value, mask, dropout, scale=0.3)",
    ),
    "softmax over the queries": (BASE, MODEL, "F.softmax(scores, dim=-1)", "F.softmax(scores, dim=-2)"),
    "q and k exchanged": (BASE, MODEL, '("q_proj", "k_proj", "v_proj")', '("k_proj", "q_proj", "v_proj")'),
    "heads interleaved": (
        BASE,
        MODEL,
        ".unflatten(-1, (-1, self.head_size)).transpose(1, 2)",
        ".unflatten(-1, (self.head_size, -1)).permute(0, 3, 1, 2)",
    ),
    "dropout in eval mode with sdpa": (BASE, MODEL, "self.dropout.p if self.training else 0.0", "self.dropout.p"),
    "scores instead of probabilities": (
        BASE,
        MODEL,
        "weights if output_attentions else None\n",
        "scores if output_attentions else None\n",
    ),
    "states without the embeddings": (
        BASE,
        MODEL,
        "(state,) if output_hidden_states else None",
        "() if output_hidden_states else None",
    ),
    "the pooler reads the last token": (BASE, MODEL, "self.pooler(last[:, 0])", "self.pooler(last[:, -1])"),
    "the pooler without tanh": (BASE, MODEL, "tanh=nn.Tanh()", "tanh=nn.Identity()"),
}
HEADS: dict[str, Edit] = {
    "answers that start at the end": (
        QA,
        MODEL,
        "self.qa_outputs(hidden_states).unbind(-1)",
        "self.qa_outputs(hidden_states).flip(-1).unbind(-1)",
    ),
    "the sum of both losses": (QA, MODEL, "end_positions)) / 2", "end_positions))"),
    "start and end exchanged": (
        UIEM,
        MODEL,
        "self.linear_start(hidden_states).squeeze(-1), self.linear_end(hidden_states).squeeze(-1)",
        "self.linear_end(hidden_states).squeeze(-1), self.linear_start(hidden_states).squeeze(-1)",
    ),
    "a single token is squeezed away": (
        UIEM,
        MODEL,
        "self.linear_start(hidden_states).squeeze(-1)",
        "self.linear_start(hidden_states).squeeze()",
    ),
    "choices in another order": (CHOICE, MODEL, "logits.view(shape)", "logits.view(shape).flip(-1)"),
    "several labels by squared error": (
        SEQUENCE,
        MODEL,
        "F.mse_loss if is_number else F.binary_cross_entropy_with_logits",
        "F.mse_loss if is_number else F.mse_loss",
    ),
    "smoothed labels": (
        TOKEN,
        MODEL,
        "F.cross_entropy(logits.flatten(0, -2), ",
        "F.cross_entropy(label_smoothing=0.01, input=logits.flatten(0, -2), target=",
    ),
    "a classifier on the last token": (
        SEQUENCE,
        MODEL,
        "encoded.pooler_output if self.on_pooled",
        "encoded.last_hidden_state[:, -1] if self.on_pooled",
    ),
}
TEXT: dict[str, Edit] = {
    "a bare space stays": (BASE, TOKENIZER, "[part for part in parts if part != SPACE]", "parts"),
    "more characters stand alone": (BASE, TOKENIZER, "[\\u4e00-\\u9fff{MARKS}]", "[\\u3000-\\u9fff{MARKS}]"),
    "Chinese characters do not stand alone": (BASE, TOKENIZER, "[\\u4e00-\\u9fff{MARKS}]", "[{MARKS}]"),
    # Marks that no longer stand alone show only with a vocabulary that has pieces of several marks.
    "a letter stands alone": (
        BASE,
        TOKENIZER,
        'MARKS = ",;:.?!~，；：。？！《》【】"',
        'MARKS = ",;:.?!~，；：。？！《》【】e"',
    ),
    "no cut between digits and letters": (BASE, TOKENIZER, "left.isdigit() != right.isdigit()", "False"),
    "digits are decimal digits": (
        BASE,
        TOKENIZER,
        "left.isdigit() != right.isdigit()",
        "left.isdecimal() != right.isdecimal()",
    ),
    "spaces beside special tokens stay": (BASE, TOKENIZER, "segment.rstrip() if match and", "segment if match and"),
    "spaces behind special tokens stay": (BASE, TOKENIZER, "segment.lstrip() if start and", "segment if start and"),
    "special tokens are not found": (BASE, TOKENIZER, "if not self._find_tokens().search(text):", "if True:"),
    "an unknown run is one token": (
        BASE,
        TOKENIZER,
        "for piece in pieces for part in self._split(piece)]",
        "for part in pieces]",
    ),
    "text is lowered": (
        BASE,
        TOKENIZER,
        "        if self.do_lower_case:\n            text =",
        "        if True:\n            text = text.lower() or",
    ),
    "a call returns a mask": (
        BASE,
        TOKENIZER,
        'model_input_names = ["input_ids"]',
        'model_input_names = ["input_ids", "attention_mask"]',
    ),
}
METHODS: dict[str, Edit] = {
    "one separator in a pair": (BASE, TOKENIZER, "sep, sep, *token_ids_1, sep]", "sep, *token_ids_1, sep]"),
    "the first separator has type 0": (
        BASE,
        TOKENIZER,
        "(len(token_ids_0) + 1) + [1] * (len(token_ids_1) + 3)",
        "(len(token_ids_0) + 2) + [1] * (len(token_ids_1) + 2)",
    ),
    "every special token is in the mask": (
        BASE,
        TOKENIZER,
        "in (self.cls_token_id, self.sep_token_id)) for",
        "in self.all_special_ids) for",
    ),
    "a pair gains three tokens": (BASE, TOKENIZER, "return 4 if pair else 2", "return 3 if pair else 2"),
    "offsets end one too soon": (
        BASE,
        TOKENIZER,
        "return origins[start], origins[after - 1] + 1",
        "return origins[start], origins[after - 1]",
    ),
    "offsets keep what vanishes": (BASE, TOKENIZER, "while after > start + 1 and", "while False and"),
    "the second text is cut first": (BASE, TOKENIZER, "sizes[sizes[0] <= sizes[1]]", "sizes[sizes[0] < sizes[1]]"),
    "a side is cut to nothing": (
        BASE,
        TOKENIZER,
        "if size <= 0:\n            logger",
        "if size < -999:\n            logger",
    ),
    "padding is no special token": (
        BASE,
        TOKENIZER,
        'fillers |= {"special_tokens_mask": 1',
        'fillers |= {"special_tokens_mask": 0',
    ),
    "what is on the left is padded on the right": (
        BASE,
        TOKENIZER,
        'if side == "right":',
        "if True:",
    ),
    "what is cut on the left is cut on the right": (
        BASE,
        TOKENIZER,
        'from_left = self.truncation_side == "left"',
        "from_left = False",
    ),
    "overflow without its stride": (BASE, TOKENIZER, "side[max(size - stride, 0) :]", "side[size:]"),
    "padding on the left": (BASE, TOKENIZER, 'if side == "right":', 'if side != "right":'),
    "strings keep their space": (BASE, TOKENIZER, '.replace(SPACE, " ").strip()', '.replace(SPACE, " ")'),
    "tokens of special ids are left in": (
        BASE,
        TOKENIZER,
        "skip_special_tokens=skip_special_tokens)",
        "skip_special_tokens=False)",
    ),
    "the wide tilde becomes a tilde": (BASE, TOKENIZER, '| {"～": "～"}', '| {"～": "~"}'),
    "unknown tokens lose their text": (
        BASE,
        TOKENIZER,
        "return [token for token, _ in self._locate(text, split_special_tokens)]",
        "return [token if token in self.vocab else '[UNK]' for token, _ in self._locate(text, split_special_tokens)]",
    ),
    "what is saved is another vocabulary": (
        BASE,
        TOKENIZER,
        'file.writelines(f"{token}\\n" for token in self.tokens)',
        'file.writelines(f"{token}\\n" for token in [*self.tokens[:9], *self.tokens[:8:-1]])',
    ),
}
CALLS: dict[str, Edit] = {
    "the second text alone is never cut": (
        BASE,
        TOKENIZER,
        "second = strategy is TruncationStrategy.ONLY_SECOND\n        if",
        "second = False\n        if",
    ),
    "special tokens always": (
        BASE,
        TOKENIZER,
        'special, strategy = get("add_special_tokens", True), ',
        "special, strategy = True, ",
    ),
    "what overflows is lost": (
        BASE,
        TOKENIZER,
        "overflow = side[: excess + stride] if from_left else side[max(size - stride, 0) :]",
        "overflow = []",
    ),
    "cut on the left from the right": (
        BASE,
        TOKENIZER,
        "kept = side[excess:] if from_left else side[:size]",
        "kept = side[:size]",
    ),
    "padding always on the right": (
        BASE,
        TOKENIZER,
        'side = options.get("padding_side") or self.padding_side',
        'side = "right"',
    ),
    "words from the last to the first": (
        BASE,
        TOKENIZER,
        "places = [None] if isinstance(text, str) else range(len(words))",
        "words, places = words[::-1], [None] if isinstance(text, str) else range(len(words))",
    ),
    "another vocabulary is told": (
        BASE,
        TOKENIZER,
        "return {**self.vocab, **self._added_tokens_encoder}",
        "return {**{token: number + 1 for token, number in self.vocab.items()}, **self._added_tokens_encoder}",
    ),
    "no mark stands alone": (BASE, TOKENIZER, "return char in MARKS", "return False"),
}
#: What shows only in another use of the model than the one that is looked at site by site (verify/modes).
USES: dict[str, Edit] = {
    "plain call": (
        UIEM,
        MODEL,
        "(encoded.last_hidden_state)\n        loss",
        "(encoded.last_hidden_state if encoded.hidden_states else 2 * encoded.last_hidden_state)\n        loss",
    ),
    "return_dict=False": (TOKEN, MODEL, "else output.to_tuple()", "else output.to_tuple()[::-1]"),
    "output_attentions=True": (
        BASE,
        MODEL,
        "weights if output_attentions else None\n",
        'weights[: len(weights) * (self.config._attn_implementation == "eager")] if output_attentions else None\n',
    ),
    "float32": (BASE, MODEL, "scores if mask is None", "scores if mask is None or scores.dtype == torch.float32"),
    "training": (BASE, MODEL, "dropout = self.dropout.p if self.training else 0.0", "dropout = 0.0"),
}
TRAINING: dict[str, Edit] = {
    "another probability": (
        BASE,
        MODEL,
        "self.dropout1 = nn.Dropout(config.hidden_dropout_prob)",
        "self.dropout1 = nn.Dropout(0.3)",
    ),
    "no dropout before a classifier": (TOKEN, MODEL, "self.classifier(self.dropout(", "self.classifier(("),
    "other positions": (
        BASE,
        MODEL,
        "position_ids + self.position_offset",
        "position_ids + (0 if self.training else self.position_offset)",
    ),
}
CONFIGURATION: dict[str, Edit] = {
    "pad_token_id": (TOKEN, "configuration_ernie_m.py", "self.pad_token_id = pad_token_id", "self.pad_token_id = 0"),
    "hidden_dropout_prob": (
        TOKEN,
        "configuration_ernie_m.py",
        "self.hidden_dropout_prob = hidden_dropout_prob",
        "self.hidden_dropout_prob = 0.0",
    ),
    "id2label": (
        TOKEN,
        "configuration_ernie_m.py",
        "self.position_offset = position_offset",
        "self.position_offset = position_offset\n        self.id2label = {0: 'no', 1: 'yes', 2: 'maybe'}",
    ),
    "base_model_prefix": (TOKEN, MODEL, 'base_model_prefix = "ernie_m"', 'base_model_prefix = "bert"'),
}
EDITS: dict[str, Edit] = {**MASKS, **POSITIONS, **LAYERS, **HEADS, **TEXT, **METHODS, **CALLS}
