"""What PaddleNLP computes: tiny models of every class, every kind of input, in float64, written as one .npz.

Run by the reference interpreter (Paddle 3.3.1, PaddleNLP 2.8.1): `python model_numbers.py OUTPUT.npz`. These are the
cases; recording.py beside it makes the models and says what is in the file.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import paddle
from recording import (
    HEADS,
    HIDDEN,
    PAD,
    POSITIONS,
    RANDOM,
    VOCAB,
    build,
    error_of,
    facts,
    record,
    record_gradients,
    run_base,
    run_head,
    save,
    saved,
    text,
)

ACTIVATIONS = ("gelu", "relu", "tanh", "silu", "swish", "mish", "leaky_relu", "relu6", "sigmoid")


def base_cases() -> None:
    model = build("base", "ErnieMModel")
    ids = text(2, 7, padding=3)
    ones = np.ones((2, 7), "int64")
    shown = (ids != PAD).astype("int64")
    scattered = shown.copy()
    scattered[0, [2, 5]] = 0
    batch, length = ids.shape

    run_base(model, "base:no mask", input_ids=text(2, 7))
    run_base(model, "base:no mask, padding", input_ids=ids)
    run_base(model, "base:no mask, the padded row alone", input_ids=ids[1:, :4].copy())
    run_base(model, "base:no mask, [CLS] in the middle", input_ids=np.array([[0, 9, 0, 11, 12, 2, 0]]))
    run_base(model, "base:mask of ones", input_ids=ids, attention_mask=ones)
    for dtype in ("int64", "int32", "uint8", "bool", "float16", "float32", "float64"):
        run_base(model, f"base:2-D mask, {dtype}", input_ids=ids, attention_mask=scattered.astype(dtype))
    fractions = RANDOM.uniform(0.9995, 1.0, size=(2, 7))
    run_base(model, "base:2-D mask, fractions", input_ids=ids, attention_mask=fractions)
    run_base(model, "base:2-D mask, float32 fractions", input_ids=ids, attention_mask=fractions.astype("float32"))
    run_base(model, "base:2-D mask, one row for all", input_ids=ids, attention_mask=scattered[:1])
    nothing = scattered.copy()
    nothing[0] = 0
    run_base(model, "base:2-D mask, a row of zeros", input_ids=ids, attention_mask=nothing)

    for dtype in ("int64", "bool", "int32", "float64", "float32"):
        for name, shape in {
            "B11S": (batch, 1, 1, length),
            "B1SS": (batch, 1, length, length),
            "BhSS": (batch, HEADS, length, length),
            "11SS": (1, 1, length, length),
        }.items():
            if dtype.startswith("float"):  # additive
                mask = (RANDOM.normal(size=shape) * 2).astype(dtype)
            else:
                mask = (RANDOM.uniform(size=shape) < 0.6).astype(dtype)
                mask[..., 0] = 1
            run_base(model, f"base:4-D mask, {dtype} {name}", input_ids=ids, attention_mask=mask)
    zeros = np.ones((batch, 1, length, length), "int64")
    zeros[0, 0, 3] = 0
    run_base(model, "base:4-D mask, a row of zeros", input_ids=ids, attention_mask=zeros)
    square = (RANDOM.uniform(size=(1, length, length)) < 0.6).astype("int64")
    square[..., 0] = 1
    run_base(model, "base:3-D mask", input_ids=ids[:1], attention_mask=square)
    run_base(model, "base:3-D mask, float", input_ids=ids[:1], attention_mask=RANDOM.normal(size=square.shape))

    positions = np.array([[6, 5, 4, 3, 2, 1, 0], [0, 1, 2, 0, 1, 2, 511]])
    run_base(model, "base:position_ids", input_ids=ids, position_ids=positions)
    run_base(model, "base:position_ids, one row", input_ids=ids, position_ids=positions[1:])
    run_base(model, "base:position_ids, one dimension", input_ids=ids, position_ids=positions[1])
    run_base(model, "base:position_ids, negative", input_ids=ids, position_ids=positions - 2)
    long = text(1, 600)
    run_base(model, "base:position_ids, 600 tokens", False, input_ids=long, position_ids=np.arange(600)[None] % 512)

    embeds = RANDOM.normal(size=(2, 7, HIDDEN))
    run_base(model, "base:inputs_embeds", inputs_embeds=embeds, attention_mask=scattered)
    run_base(model, "base:one token", input_ids=np.array([[0], [9]]))
    run_base(model, "base:one token, mask", input_ids=np.array([[0], [9]]), attention_mask=np.ones((2, 1), "int64"))
    run_base(model, "base:longest", False, input_ids=text(1, 512))
    run_base(model, "base:int32 ids", input_ids=ids.astype("int32"), attention_mask=ones)

    out = model(paddle.to_tensor(ids), return_dict=False, output_hidden_states=True, output_attentions=True)
    facts["tuple"] = [type(part).__name__ for part in out]
    facts["513 tokens"] = error_of(lambda: model(paddle.to_tensor(text(1, 513))))
    facts["id -2"] = error_of(lambda: model(paddle.to_tensor(np.array([[0, -2]]))))
    facts["id past the end"] = error_of(lambda: model(paddle.to_tensor(np.array([[0, VOCAB]]))))
    facts["position -4"] = error_of(
        lambda: model(paddle.to_tensor(ids[:, :2]), position_ids=paddle.to_tensor(np.array([[0, -4]])))
    )
    facts["inputs_embeds without mask"] = error_of(lambda: model(inputs_embeds=paddle.to_tensor(embeds)))
    facts["both"] = error_of(lambda: model(paddle.to_tensor(ids), inputs_embeds=paddle.to_tensor(embeds)))
    hidden_row = np.zeros((2, 1, 7, 7))
    hidden_row[0] = -np.inf
    mask = paddle.to_tensor(hidden_row, stop_gradient=False)
    facts["a row of -inf"] = bool(np.isnan(model(paddle.to_tensor(ids), attention_mask=mask)[0].numpy()[0]).all())
    facts["stop_gradient set on the mask"] = mask.stop_gradient
    given = paddle.to_tensor(positions)
    model(paddle.to_tensor(ids), position_ids=given)
    facts["position_ids changed"] = bool((given.numpy() != positions).any())

    # gradients of a fixed projection, with [PAD] attended to: its row of the table gets a gradient in Paddle
    project_state, project_pooled = RANDOM.normal(size=(2, 7, HIDDEN)), RANDOM.normal(size=(2, HIDDEN))
    state, pooled = model(paddle.to_tensor(ids))
    loss = (state * paddle.to_tensor(project_state)).sum() + (pooled * paddle.to_tensor(project_pooled)).sum()
    record("base:gradients", {"loss": loss}, input_ids=ids, state=project_state, pooled=project_pooled)
    record_gradients(model, "base:gradients", loss)


def small_norm_inputs() -> None:
    """LayerNorm's epsilon shows where its input is small: what feeds each norm is made a thousand times smaller."""
    model = build("small", "ErnieMModel", num_hidden_layers=1)
    for key, parameter in model.named_parameters():
        if any(part in key for part in ("_embeddings", "embeddings.layer_norm", "out_proj", "norm1", "linear2")):
            parameter.set_value(parameter.numpy() * 1e-3)
            saved[f"weights/small/{key}"] = parameter.numpy()
    run_base(model, "small:epsilon", input_ids=text(2, 7))


def activations() -> None:
    for name in ACTIVATIONS:
        model = build(f"act {name}", "ErnieMModel", hidden_act=name, num_hidden_layers=1)
        run_base(model, f"act {name}:text", input_ids=text(2, 5))
    # intermediate_size in the configuration means nothing to Paddle
    run_base(build("ffn", "ErnieMModel", intermediate_size=24, num_hidden_layers=1), "ffn:text", input_ids=text(1, 5))


def quirks_of_head(model: Any, name: str, *sites: str) -> None:
    """The inputs of the base model's quirks, through a head: what comes out of it must follow them too."""
    several = name == "choice"
    ids = text(6, 7, padding=3).reshape(2, 3, 7) if several else text(2, 7, padding=3)
    shown = (ids != PAD).astype("int64")
    nothing, square = shown.copy(), RANDOM.uniform(0.01, 1.0, size=(2, 1, 7, 7))
    nothing[0], square[..., 0] = 0, 0.1
    cases: dict[str, dict[str, np.ndarray]] = {
        "no mask, padding": {},
        "mask of ones": {"attention_mask": np.ones_like(ids)},
        "2-D mask, bool": {"attention_mask": shown.astype("bool")},
        "2-D mask, float32": {"attention_mask": shown.astype("float32")},
        "2-D mask, fractions": {"attention_mask": RANDOM.uniform(0.9995, 1.0, size=ids.shape)},
        "2-D mask, a row of zeros": {"attention_mask": nothing},
        "position_ids": {"position_ids": RANDOM.integers(0, POSITIONS - 2, size=ids.shape)},
        "position_ids, negative": {"position_ids": RANDOM.integers(-2, 3, size=ids.shape)},
    }
    if not several:  # Paddle's multiple choice flattens such masks to two axes
        cases["4-D mask, bool"] = {"attention_mask": square < 0.6}
        cases["4-D mask, int64"] = {"attention_mask": (square < 0.6).astype("int64")}
        cases["4-D mask, float64"] = {"attention_mask": np.log(square)}
    for inputs in cases.values():
        inputs["input_ids"] = ids
    if not several and name != "extraction":  # which take no inputs_embeds in Paddle
        cases["inputs_embeds"] = {"inputs_embeds": RANDOM.normal(size=(2, 7, HIDDEN)), "attention_mask": shown}
    for case, inputs in cases.items():
        output = model(**{key: paddle.to_tensor(value) for key, value in inputs.items()})
        record(f"{name}:{case}", dict(zip(sites, output if isinstance(output, tuple) else [output])), **inputs)


def loss_of(model: Any, **inputs: Any) -> Any:
    return model(**{key: paddle.to_tensor(value) for key, value in inputs.items()}, return_dict=True).loss


def heads() -> None:
    ids, unpadded = text(3, 7, padding=3), text(3, 7)
    mask = (ids != PAD).astype("int64")
    labels, positions = np.array([2, 0, 1]), np.array([[1, 4, 0], [3, 6, 6]])
    floats = RANDOM.normal(size=(3,))
    several = (RANDOM.uniform(size=(3, 3)) < 0.5).astype("float64")

    model = build("sequence", "ErnieMForSequenceClassification", num_labels=3)
    run_head(model, "sequence:no mask", ("labels",), input_ids=unpadded, labels=labels)
    run_head(model, "sequence:mask", ("labels",), input_ids=ids, attention_mask=mask, labels=labels[:, None])
    facts["problem_type, integers"] = model.config.problem_type
    model.config.problem_type = None
    run_head(model, "sequence:several labels", ("labels",), input_ids=unpadded, labels=several)
    facts["problem_type, floats"] = model.config.problem_type
    model.config.problem_type = "regression"
    run_head(model, "sequence:regression, 3 numbers", ("labels",), input_ids=unpadded, labels=several)
    quirks_of_head(model, "sequence", "logits")
    model = build("regression", "ErnieMForSequenceClassification", num_labels=1)
    run_head(model, "regression:one number", ("labels",), input_ids=unpadded, labels=floats)
    run_head(model, "regression:a column", ("labels",), input_ids=unpadded, labels=floats[:, None])
    facts["problem_type, one label"] = model.config.problem_type

    model = build("token", "ErnieMForTokenClassification", num_labels=5)
    tags = RANDOM.integers(0, 5, size=ids.shape)
    run_head(model, "token:no mask", ("labels",), input_ids=unpadded, labels=tags)
    run_head(model, "token:mask", ("labels",), input_ids=ids, attention_mask=mask, labels=tags)
    run_head(model, "token:ignored", (), input_ids=ids, attention_mask=mask, labels=np.where(mask == 1, tags, -100))
    quirks_of_head(model, "token", "logits")
    flat, rows = (loss_of(model, input_ids=unpadded, labels=form) for form in (tags.reshape(-1), tags))
    facts["flat labels have the loss of rows"] = float(flat) == float(rows)

    model = build("question", "ErnieMForQuestionAnswering")
    spans = dict(start_positions=positions[0], end_positions=positions[1])
    run_head(model, "question:no mask", tuple(spans), input_ids=unpadded, **spans)
    run_head(model, "question:mask", tuple(spans), input_ids=ids, attention_mask=mask, **spans)
    clamped = dict(start_positions=np.array([1, 99, 2]), end_positions=np.array([3, 7, -5]))
    run_head(model, "question:clamped", tuple(clamped), input_ids=ids, attention_mask=mask, **clamped)
    ignored = dict(start_positions=np.array([9, 9, 9]), end_positions=np.array([9, 9, 9]))
    run_head(model, "question:all ignored", (), input_ids=ids, attention_mask=mask, **ignored)
    quirks_of_head(model, "question", "start_logits", "end_logits")
    for name, value in spans.items():
        facts[f"{name} alone have a loss"] = loss_of(model, input_ids=unpadded, **{name: value}) is not None
    model = build("three labels", "ErnieMForQuestionAnswering", num_labels=3)
    facts["outputs of question answering with three labels"] = int(model.classifier.weight.shape[1])

    model = build("choice", "ErnieMForMultipleChoice", num_choices=3)
    choices = np.stack([text(3, 7, padding=2), text(3, 7)])
    shown = (choices != PAD).astype("int64")
    right = np.array([2, 0])
    run_head(model, "choice:no mask", ("labels",), input_ids=choices, labels=right)
    run_head(model, "choice:mask", ("labels",), input_ids=choices, attention_mask=shown, labels=right)
    run_head(model, "choice:mask, 4-D", (), input_ids=choices, attention_mask=shown[:, :, None].astype("float64"))
    run_head(model, "choice:flat 4-D mask", (), input_ids=choices, attention_mask=shown.reshape(6, 1, 1, 7))
    places = np.broadcast_to(np.arange(7)[::-1], choices.shape).copy()
    run_head(model, "choice:positions", (), input_ids=choices, position_ids=places)
    quirks_of_head(model, "choice", "logits")

    model = build("extraction", "UIEM")
    quirks_of_head(model, "extraction", "start_prob", "end_prob")
    for name, inputs in {
        "no mask": {"input_ids": unpadded},
        "mask": {"input_ids": ids, "attention_mask": mask},
    }.items():
        start, end = model(**{key: paddle.to_tensor(value) for key, value in inputs.items()})
        marks = (RANDOM.uniform(size=(2, 3, 7)) < 0.3).astype("float64")
        # as PaddleNLP's model_zoo/uie/finetune.py trains it: the mean of both losses on probabilities
        targets = [paddle.to_tensor(mark) for mark in marks]
        loss = (paddle.nn.BCELoss()(start, targets[0]) + paddle.nn.BCELoss()(end, targets[1])) / 2
        case = f"extraction:{name}"
        sites = {"start_prob": start, "end_prob": end, "loss": loss}
        record(case, sites, **inputs, start_positions=marks[0], end_positions=marks[1])
        record_gradients(model, case, loss)


def main() -> None:
    base_cases()
    small_norm_inputs()
    activations()
    heads()
    save(sys.argv[1])


if __name__ == "__main__":
    main()
