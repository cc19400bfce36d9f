"""Record what PaddleNLP computes for an ERNIE-M checkpoint: one file, to be run where Paddle is.

    python record_paddle.py REQUEST.json

It needs the standard library, numpy, paddle, paddlenlp and safetensors, and nothing of paddle2torch: it can be copied
to an old machine (Python 3.7). Paddle reads the checkpoint by itself; no table and no reader of the converter has a
part in it. The request (see REQUEST below) names the checkpoint and where the trace goes. The trace is a safetensors
file: `case/NAME/input/ARGUMENT` and `case/NAME/site/SITE` arrays, and one metadata entry that tells the rest.

Lines on standard output that start with "@progress " say what is being done; an "@error " line is why it stopped.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import sys
from typing import Any

import numpy as np

TRACE_FORMAT = 1
#: Fields of the request. `files` are the weight files that were looked at and may be opened; `fallback` are config
#: fields for weights that have no config beside them. `round_to` is the dtype that every weight is rounded to first, of
#: an output in another dtype than the source's, or null.
REQUEST = ("source", "files", "config", "fallback", "round_to", "tokenizer", "texts", "precision", "seed", "output")

ARCHITECTURES = (
    "ErnieMModel",
    "ErnieMForSequenceClassification",
    "ErnieMForTokenClassification",
    "ErnieMForQuestionAnswering",
    "ErnieMForMultipleChoice",
    "UIEM",
)
#: Where PaddleNLP looks for weights, in its order (transformers/model_utils.py).
WEIGHT_FILES = (
    "model.safetensors.index.json",
    "model.safetensors",
    "model_state.pdparams.index.json",
    "model_state.pdparams",
)
#: What the constructors of PaddleNLP before 2.5 took by position; model_config.json holds such calls.
POSITIONAL = {
    "ErnieMModel": [
        "vocab_size",
        "hidden_size",
        "num_hidden_layers",
        "num_attention_heads",
        "hidden_act",
        "hidden_dropout_prob",
        "attention_probs_dropout_prob",
        "max_position_embeddings",
        "initializer_range",
        "pad_token_id",
    ],
    "ErnieMForSequenceClassification": ["ernie_m", "num_classes", "dropout"],
    "ErnieMForTokenClassification": ["ernie_m", "num_classes", "dropout"],
    "ErnieMForMultipleChoice": ["ernie_m", "num_choices", "dropout"],
    "ErnieMForQuestionAnswering": ["ernie_m"],
    "UIEM": ["ernie_m"],
}
#: A whole case with every site inside the layers is kept while it is smaller than this.
INSIDE_BYTES = 2 << 20
#: Attention probabilities of all layers are kept up to this size, else those of the last layer.
ATTENTION_BYTES = 12 << 20
#: Rows of an embedding table are kept as they are up to this size, else as products with seeded columns.
ROWS_BYTES = 4 << 20
PROJECTIONS = 4


class Refused(Exception):
    """The recording cannot be made, for a reason that the user can be told."""


def say(text: str) -> None:
    print("@progress " + text)
    sys.stdout.flush()


# ---------------------------------------------------------------------------------------------- the checkpoint


def read_json(path: str) -> Any:
    with open(path, encoding="utf-8-sig") as file:
        return json.load(file)


def weight_files(source: str, allowed: Any) -> Any:
    """The files that PaddleNLP would open, each of which must have been looked at before: pickles run code."""
    if os.path.isfile(source):
        found = [source]
    else:
        chosen = [name for name in WEIGHT_FILES if os.path.isfile(os.path.join(source, name))]
        if not chosen:
            found = list(allowed)
        elif chosen[0].endswith(".index.json"):
            names = sorted(set(read_json(os.path.join(source, chosen[0]))["weight_map"].values()))
            found = [os.path.join(source, name) for name in names]
        else:
            found = [os.path.join(source, chosen[0])]
    known = set(os.path.realpath(path) for path in allowed)
    for path in found:
        if os.path.realpath(path) not in known:
            raise Refused(f"PaddleNLP would read {path}, which is not among the files that were checked")
    return found


def read_weights(paths: Any) -> Any:
    """name -> array as stored: bfloat16 as its bits in uint16."""
    weights: dict[str, Any] = {}
    for path in paths:
        part = read_safetensors(path) if path.endswith(".safetensors") else read_pickle(path)
        twice = sorted(set(part) & set(weights))
        if twice:
            raise Refused(f"{twice[0]} is in two files")
        weights.update(part)
    if not weights:
        raise Refused("no arrays in " + ", ".join(os.path.basename(path) for path in paths))
    return weights


def read_safetensors(path: str) -> Any:
    from safetensors import safe_open

    try:
        with safe_open(path, framework="np") as file:
            names = file.keys()
            return dict((name, as_bits(file.get_tensor(name))) for name in names)
    except (TypeError, AttributeError, KeyError):  # BF16, which numpy does not know
        with safe_open(path, framework="paddle") as file:
            names = file.keys()
            return dict((name, file.get_tensor(name).numpy()) for name in names)


def as_bits(array: Any) -> Any:
    return array.view(np.uint16) if array.dtype.name == "bfloat16" else array


def read_pickle(path: str) -> Any:
    import paddle

    if not path.endswith(".pdparams"):
        raise Refused(f"{os.path.basename(path)}: this recorder reads .pdparams and .safetensors")
    try:
        return find_arrays(paddle.load(path, return_numpy=True))
    except KeyError:  # paddle.load stumbles over a table of names that names arrays which are not there
        return find_arrays(unpickle(path))


def unpickle(path: str) -> Any:
    """What paddle.load does, without its table of names. The file was checked before it came here."""
    import pickle

    from paddle.framework.io_utils import _pack_loaded_dict

    with open(path, "rb") as file:
        loaded = pickle.load(file, encoding="latin1")
    loaded.pop("StructuredToParameterName@@", None)
    return _pack_loaded_dict(loaded)


def find_arrays(loaded: Any) -> Any:
    """The state dict in what was unpickled: the object itself, or the one entry that holds the embeddings."""
    if not isinstance(loaded, dict):
        raise Refused(f"the file holds a {type(loaded).__name__}, not a state dict")
    if any(str(name).endswith("word_embeddings.weight") for name in loaded) or not any(
        isinstance(value, dict) and any(str(name).endswith("word_embeddings.weight") for name in value)
        for value in loaded.values()
    ):
        pairs = ((name, as_array(value)) for name, value in loaded.items())
        return dict((name, array) for name, array in pairs if array is not None)
    inner = [value for value in loaded.values() if isinstance(value, dict)]
    inner = [value for value in inner if any(str(name).endswith("word_embeddings.weight") for name in value)]
    if len(inner) != 1:
        raise Refused(f"the file holds {len(inner)} state dicts")
    return find_arrays(inner[0])


def as_array(value: Any) -> Any:
    if isinstance(value, tuple) and len(value) == 2:  # (variable name, array), as paddle.save nests tensors
        value = value[1]
    if isinstance(value, np.ndarray):
        return value
    return value.numpy() if hasattr(value, "numpy") else None


def describe(array: Any) -> Any:
    """Shape, stored dtype and the digest of the bytes in C order, so that a trace alone can judge written weights."""
    whole = np.ascontiguousarray(array)
    digest = hashlib.sha256(whole.reshape(-1).view(np.uint8).data).hexdigest()
    dtype = "bfloat16" if array.dtype == np.uint16 else array.dtype.name
    return {"shape": list(array.shape), "dtype": dtype, "sha256": digest}


def widen(array: Any, precision: str) -> Any:
    """The values, exactly: half precision is cast up, bfloat16 bits become the numbers that they stand for."""
    if array.dtype == np.uint16:
        array = (array.astype(np.uint32) << 16).view(np.float32)
    return np.ascontiguousarray(array.astype(precision))


def round_array(array: Any, dtype: Any) -> Any:
    """Rounded to nearest, ties to even, in `dtype`. Not with Paddle's cast, which truncates in some releases."""
    if dtype is None or (array.dtype == np.uint16 and dtype == "bfloat16"):
        return array
    wide = array if array.dtype == np.float64 else widen(array, "float32")
    if dtype != "bfloat16":
        return wide.astype(dtype)
    bits = wide.astype(np.float32).view(np.uint32).astype(np.uint64)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)


def file_sha256(path: str) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 22), b""):
            digest.update(block)
    return digest.hexdigest()


# ---------------------------------------------------------------------------------------------- the config


def read_config(request: Any) -> Any:
    """Class name, the arguments of PaddleNLP's ErnieMConfig, and how they were found."""
    source = request["source"]
    folder = source if os.path.isdir(source) else os.path.dirname(os.path.abspath(source))
    path = request.get("config")
    places = [folder, os.path.dirname(os.path.abspath(folder))]
    for candidate in [os.path.join(place, name) for place in places for name in ("config.json", "model_config.json")]:
        if path is None and os.path.isfile(candidate):
            path = candidate
    fallback = dict(request.get("fallback") or {})
    if path is None:
        if "architecture" not in fallback:
            raise Refused("no config.json beside the weights, and the request gives no fallback")
        return (
            architecture_of(fallback.pop("architecture")),
            fallback,
            "no config beside the weights: given by the request",
        )
    fields = read_json(path)
    name = os.path.basename(path)
    if "init_class" in fields:
        fields = flatten_call(fields)
        how = name + ", a constructor call of PaddleNLP before 2.5, flattened by the recorder"
    else:
        how = name + ", read by PaddleNLP's ErnieMConfig"
        names = fields.get("architectures") or []
        fields["init_class"] = names[0] if names else fallback.get("architecture")
    given = dict((key, value) for key, value in fallback.items() if fields.get(key) is None and key != "architecture")
    fields.update(given)
    return (
        architecture_of(fields.pop("init_class")),
        fields,
        how + (f"; the request adds {sorted(given)}" if given else ""),
    )


def architecture_of(name: str) -> str:
    name = {"ErnieMForInformationExtraction": "UIEM"}.get(name, name)
    if name not in ARCHITECTURES:
        raise Refused("the class is {!r}, known are {}".format(name, ", ".join(ARCHITECTURES)))
    return name


def flatten_call(call: Any) -> Any:
    call = dict(call)
    name = call.pop("init_class")
    for position, value in zip(POSITIONAL.get(name, []), call.pop("init_args", [])):
        call[position] = value
    encoder = call.pop("ernie_m", None)
    if encoder is None:
        encoder = call.pop("encoder", None)
    flat = {}
    if encoder is not None:
        flat.update(flatten_call(dict(encoder, init_class="ErnieMModel")))
    flat.update(call)
    for old, new in (("num_classes", "num_labels"), ("dropout", "classifier_dropout")):
        if old in flat:
            flat[new] = flat.pop(old)
    flat["init_class"] = name
    return flat


# ---------------------------------------------------------------------------------------------- the model


def build_model(name: str, fields: Any, precision: str) -> Any:
    """PaddleNLP's class in `precision`, not initialised: every weight is set, or the recording is refused."""
    import paddle
    from paddle.nn.initializer import Constant, set_global_initializer
    from paddlenlp.transformers.ernie_m import configuration, modeling

    paddle.set_default_dtype(precision)
    config = configuration.ErnieMConfig.from_dict(fields)
    if name == "ErnieMForMultipleChoice" and not getattr(config, "num_choices", None):
        config.num_choices = 2  # PaddleNLP cannot run this class without; the weights do not depend on it
    modeling.ErnieMPretrainedModel._init_weights = lambda self, layer: None
    set_global_initializer(Constant(0.0), Constant(0.0))
    model = getattr(modeling, name)(config)
    model.eval()
    return model


def set_weights(model: Any, weights: Any, precision: str, round_to: Any) -> Any:
    """Put every array in its parameter. Returns notes; refuses missing weights and other shapes."""
    notes = []
    parameters = dict(model.state_dict())
    if not any(name in parameters for name in weights if name.endswith("embeddings.word_embeddings.weight")):
        renamed, note = rename(weights, model.base_model_prefix + ".")
        notes.append(note)
    else:
        renamed = dict((name, name) for name in weights)
    missing = [name for name in parameters if name not in set(renamed.values())]
    pooler = all(".pooler." in "." + name for name in missing)
    if missing and not (
        pooler and type(model).__name__ not in ("ErnieMForSequenceClassification", "ErnieMForMultipleChoice")
    ):
        raise Refused("weights are missing: " + ", ".join(missing[:8]))
    if missing:
        notes.append("no pooler among the weights")
    left = [name for name, target in renamed.items() if target not in parameters]
    if left:
        notes.append("not of this class, left out as PaddleNLP does: " + ", ".join(sorted(left)[:8]))
    for name in list(weights):
        array, target = weights.pop(name), parameters.get(renamed[name])
        if target is None:
            continue
        if list(array.shape) != list(target.shape):
            raise Refused(f"{name} is {list(array.shape)}, PaddleNLP builds {list(target.shape)}")
        target.set_value(widen(round_array(array, round_to), precision))
    return notes, not missing


def rename(weights: Any, prefix: str) -> Any:
    """Names as PaddleNLP 2.8 has them: UIEM before 2.5 said `encoder.`, and a base model may come with its prefix."""
    if any(name.startswith("encoder.embeddings.") for name in weights):
        changed = dict((name, prefix + name[8:] if name.startswith("encoder.") else name) for name in weights)
        return changed, f"names of PaddleNLP before 2.5: `encoder.` was read as `{prefix}`"
    if any(name.startswith(prefix) for name in weights):
        changed = dict((name, name[len(prefix) :] if name.startswith(prefix) else name) for name in weights)
        return changed, f"`{prefix}` was taken off the names, as PaddleNLP does for a model without a head"
    raise Refused(f"no weight has a name of this class; the first is {sorted(weights)[0]}")


class Probe:
    """Makes the encoder keep its hidden states and attentions, and on request what is inside each layer."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.backbone = getattr(model, "ernie_m", model)
        self.inside = False
        self.sites: dict[str, Any] = {}
        self.forward = self.backbone.forward
        object.__setattr__(self.backbone, "forward", self._forward)
        for number, layer in enumerate(self.backbone.encoder.layers):
            parts = [
                ("self_attn." + part, getattr(layer.self_attn, part))
                for part in ("q_proj", "k_proj", "v_proj", "out_proj")
            ]
            parts += [(part, getattr(layer, part)) for part in ("norm1", "linear1", "linear2")]
            for part, module in parts:
                module.register_forward_post_hook(self._hook(f"layers.{number}.{part}"))
        for part, site in (("linear_start", "start_logits"), ("linear_end", "end_logits")):
            if hasattr(model, part):
                getattr(model, part).register_forward_post_hook(self._hook(site))

    def _hook(self, name: str) -> Any:
        def keep(layer: Any, inputs: Any, output: Any) -> Any:
            if not name.startswith("layers."):  # UIEM's logits, which it does not return
                self.sites[name] = output.numpy()[..., 0]
            elif self.inside:
                self.sites[name] = output.numpy()

        return keep

    def _forward(self, *inputs: Any, **options: Any) -> Any:
        wanted = options.get("return_dict")
        options.update(return_dict=True, output_hidden_states=True, output_attentions=True)
        output = self.forward(*inputs, **options)
        for number, state in enumerate(output.hidden_states):
            self.sites[f"hidden_states.{number}"] = state.numpy()
        for number, probabilities in enumerate(output.attentions):
            self.sites[f"attentions.{number}"] = probabilities.numpy()
        self.sites["pooler_output"] = output.pooler_output.numpy()
        return output if wanted else (output.last_hidden_state, output.pooler_output)

    def run(self, case: Any) -> Any:
        """Sites of a case, in the order of the network."""
        import paddle

        self.sites = {}
        self.inside = case["inside"]
        target = self.model if case["through"] == "model" else self.backbone
        self.model.config.problem_type = case.get("problem_type", self.model.config.problem_type)
        with paddle.no_grad():
            result = target(**dict((name, paddle.to_tensor(value)) for name, value in case["inputs"].items()))
        if case["through"] == "model":
            with_loss = "labels" in case["inputs"] or "start_positions" in case["inputs"]
            self.sites.update(head_sites(type(self.model).__name__, result, with_loss))
        return [(name, self.sites[name]) for name in site_order(self.sites, len(self.backbone.encoder.layers))]


def head_sites(name: str, result: Any, with_loss: bool) -> Any:
    if name == "ErnieMModel":
        return {}
    values = list(result) if isinstance(result, (tuple, list)) else [result]
    sites = {"loss": values.pop(0).numpy().reshape([])} if with_loss else {}
    names = {"ErnieMForQuestionAnswering": ["start_logits", "end_logits"], "UIEM": ["start_prob", "end_prob"]}
    sites.update((site, value.numpy()) for site, value in zip(names.get(name, ["logits"]), values))
    return sites


def site_order(sites: Any, layers: int) -> Any:
    order = ["hidden_states.0"]
    for number in range(layers):
        before = ["q_proj", "k_proj", "v_proj"]
        order += [f"layers.{number}.self_attn.{part}" for part in before] + [f"attentions.{number}"]
        order += [f"layers.{number}.{part}" for part in ("self_attn.out_proj", "norm1", "linear1", "linear2")]
        order.append(f"hidden_states.{number + 1}")
    order += ["pooler_output", "logits", "start_logits", "end_logits", "start_prob", "end_prob", "loss"]
    return [name for name in order if name in sites]


# ---------------------------------------------------------------------------------------------- the cases


class Designer:
    """Makes the inputs: real sentences, ids that they lack, every position, every form of mask, small inputs."""

    def __init__(self, model: Any, sentences: Any, precision: str, seed: int) -> None:
        config = model.config
        self.name = type(model).__name__
        self.model = model
        self.vocabulary, self.hidden = config.vocab_size, config.hidden_size
        self.longest = config.max_position_embeddings - 2
        self.heads, self.layers = config.num_attention_heads, config.num_hidden_layers
        self.choices = getattr(config, "num_choices", None) or 2
        self.labels = config.num_labels
        self.problem_type = config.problem_type
        self.precision = precision
        self.random = np.random.RandomState(seed)
        self.sentences = sentences
        self.cases: list[dict[str, Any]] = []

    def ids(self, rows: int, columns: int) -> Any:
        return (
            self.random.randint(3, max(self.vocabulary - 1, 4), size=(rows, columns)).astype(np.int64) % self.vocabulary
        )

    def add(self, name: str, why: str, inputs: Any, through: str = "model", inside: bool = False, **more: Any) -> None:
        takes_all = self.name not in ("UIEM", "ErnieMForMultipleChoice")
        mask = inputs.get("attention_mask")
        if "inputs_embeds" in inputs and not takes_all:
            through = "backbone"
        if self.name == "ErnieMForMultipleChoice" and through == "model":
            if mask is not None and mask.ndim > 2:
                through = "backbone"
            else:
                inputs = dict((key, self.fold(key, value)) for key, value in inputs.items())
        given = inputs["input_ids"] if "input_ids" in inputs else inputs["inputs_embeds"][..., 0]
        tokens = int(np.prod(given.shape))
        inside = inside or tokens * self.layers * self.hidden * 80 < INSIDE_BYTES
        self.cases.append(dict(more, name=name, why=why, inputs=inputs, through=through, inside=inside))

    def fold(self, key: str, value: Any) -> Any:
        """Multiple choice takes [batch, choices, ...]: rows are repeated until they fill whole groups."""
        if key == "labels":
            return value
        groups = -(-value.shape[0] // self.choices)
        rows = np.resize(np.arange(value.shape[0]), groups * self.choices)
        return value[rows].reshape((groups, self.choices, *value.shape[1:]))

    def batch(self, count: int, length: int) -> Any:
        """Sentences cut to `length`, padded with [PAD], and the mask of what is not padding."""
        rows = [[*row[: length - 1], 2 % self.vocabulary] for row in self.sentences[:count]]
        width = max(len(row) for row in rows)
        ids = np.full((len(rows), width), 1 % self.vocabulary, np.int64)
        mask = np.zeros((len(rows), width), np.int64)
        for number, row in enumerate(rows):
            ids[number, : len(row)] = row
            mask[number, : len(row)] = 1
        return ids, mask

    def design(self) -> Any:
        length = min(24, self.longest)
        self.texts(length)
        self.masks(min(14, self.longest))
        self.positions_and_vectors(min(12, self.longest))
        self.extremes()
        self.losses(min(10, self.longest))
        return self.cases

    def texts(self, length: int) -> None:
        ids, mask = self.batch(1, min(16, length))
        self.add("sentence.inside", "one sentence, everything inside the layers", {"input_ids": ids}, inside=True)
        for number, row in enumerate(self.sentences[1:4]):
            single = np.array([row[: self.longest]], np.int64)
            self.add(f"sentence.{number}", "a sentence as the tokenizer gives it, no mask", {"input_ids": single})
        ids, mask = self.batch(6, length)
        self.add("batch", "padded, no mask: the implicit mask rule", {"input_ids": ids})
        self.add("batch.mask", "padded, integer mask", {"input_ids": ids, "attention_mask": mask})

    def masks(self, length: int) -> None:
        ids, mask = self.ids(2, length), np.ones((2, length), np.int64)
        ids[:, 0] = 0
        ids[1, length // 2 :] = 1 % self.vocabulary
        ids[0, length // 3] = 0
        mask[1, length // 2 :] = 0
        self.add("ids.zero_and_pad", "ids 0 and 1 inside the text, no mask", {"input_ids": ids})
        self.add("mask.bool", "2-D bool mask", {"input_ids": ids, "attention_mask": mask.astype(bool)})
        ramp = np.linspace(0.125, 1.0, length).astype(self.precision)
        fractions = np.stack([ramp, mask[1].astype(self.precision)])
        # Weights of -1e4 * (1 - x) are either 0 or hide all: near 1 the fraction shows.
        fractions[0, -3:] = 1.0 - np.array([1e-4, 2e-4, 0.0])[-min(3, length) :]
        self.add("mask.float", "2-D float mask with fractions", {"input_ids": ids, "attention_mask": fractions})
        zero = mask.copy()
        zero[0] = 0
        self.add(
            "mask.zero_row",
            "a row that hides every key: -1e4 is added, not infinity",
            {"input_ids": ids, "attention_mask": zero},
            zero_row=True,
        )
        lower = np.tril(np.ones((length, length), np.int64))
        four = np.broadcast_to(lower, (2, 1, length, length)).copy()
        self.add("mask.4d.int", "4-D integer mask, one for all heads", {"input_ids": ids, "attention_mask": four})
        heads = self.random.randint(0, 2, size=(2, self.heads, length, length))
        heads |= np.eye(length, dtype=heads.dtype)
        self.add(
            "mask.4d.bool",
            "4-D bool mask, another for each head",
            {"input_ids": ids, "attention_mask": heads.astype(bool)},
        )
        added = self.random.standard_normal((2, 1, 1, length)).astype(self.precision)
        self.add("mask.4d.float", "4-D float mask, added as it is", {"input_ids": ids, "attention_mask": added})
        three = lower[None].astype(bool)
        self.add(
            "mask.3d", "3-D mask of a batch of one", {"input_ids": ids[:1], "attention_mask": three}, through="backbone"
        )

    def positions_and_vectors(self, length: int) -> None:
        ids = self.ids(2, length)
        places = np.stack([np.arange(length)[::-1], self.random.permutation(self.longest)[:length]]).astype(np.int64)
        self.add("position_ids", "positions in another order", {"input_ids": ids, "position_ids": places})
        low = places.copy()
        low[0, :2] = (-2, -1)[: min(2, length)]
        self.add("position_ids.low", "the two rows in front of position 0", {"input_ids": ids, "position_ids": low})
        mask = np.ones((2, length), np.int64)
        mask[1, -length // 3 :] = 0
        vectors = self.random.standard_normal((2, length, self.hidden)).astype(self.precision)
        self.add("inputs_embeds", "vectors instead of ids", {"inputs_embeds": vectors, "attention_mask": mask})
        table = self.backbone_table("position_embeddings")[2 : length + 2]
        small = (1e-3 * self.random.standard_normal((2, length, self.hidden))).astype(self.precision) - table
        self.add(
            "small_inputs",
            "vectors so small that the epsilon of the LayerNorm shows",
            {"inputs_embeds": small, "attention_mask": mask},
        )

    def backbone_table(self, part: str) -> Any:
        return getattr(getattr(self.model, "ernie_m", self.model).embeddings, part).weight.numpy()

    def extremes(self) -> None:
        self.add("longest", "the longest text: every position", {"input_ids": self.ids(1, self.longest)})
        ids = self.ids(2, 1)
        ids[0] = self.vocabulary - 1
        self.add("length.1", "a single token", {"input_ids": ids})
        self.add("length.2", "two tokens", {"input_ids": self.ids(1, 2)})
        used = set(token for row in self.sentences for token in row)
        unused = [token for token in range(self.vocabulary) if token not in used] or list(range(self.vocabulary))
        width = min(64, self.longest)
        count = min(4 * width, len(unused))
        spread = [unused[place] for place in np.linspace(0, len(unused) - 1, count).astype(int)]
        rows = [spread[start : start + width] for start in range(0, count, width)]
        ids = np.array([np.resize(row, width) for row in rows], np.int64)
        ids[-1, -1] = self.vocabulary - 1
        self.add("ids.unused", "ids that no sentence has, from the whole vocabulary", {"input_ids": ids})

    def losses(self, length: int) -> None:
        ids = self.ids(4, length)
        inputs = {"input_ids": ids, "attention_mask": np.ones(ids.shape, np.int64)}
        kind = self.problem_type
        if self.name == "ErnieMForSequenceClassification":
            if kind in (None, "single_label_classification") and self.labels > 1:
                labels = np.arange(4, dtype=np.int64) % self.labels
                self.add(
                    "loss", "cross entropy", dict(inputs, labels=labels), problem_type="single_label_classification"
                )
            if kind in (None, "multi_label_classification") and self.labels > 1:
                labels = self.random.randint(0, 2, size=(4, self.labels)).astype(self.precision)
                self.add(
                    "loss.multi",
                    "several labels at once",
                    dict(inputs, labels=labels),
                    problem_type="multi_label_classification",
                )
            if self.labels == 1:
                labels = self.random.standard_normal(4).astype(self.precision)
                self.add("loss.regression", "squared error", dict(inputs, labels=labels), problem_type="regression")
        elif self.name == "ErnieMForTokenClassification":
            self.add(
                "loss",
                "cross entropy",
                dict(inputs, labels=self.random.randint(0, self.labels, size=ids.shape).astype(np.int64)),
            )
        elif self.name == "ErnieMForQuestionAnswering":
            start, end = np.arange(4, dtype=np.int64) % length, np.full(4, length - 1, np.int64)
            self.add("loss", "start and end", dict(inputs, start_positions=start, end_positions=end))
        elif self.name == "ErnieMForMultipleChoice":
            groups = -(-4 // self.choices)
            self.add(
                "loss",
                "cross entropy over the choices",
                dict(inputs, labels=np.arange(groups, dtype=np.int64) % self.choices),
            )


def keep_sites(case: Any, sites: Any, layers: int) -> Any:
    """What of a case goes into the trace: all, but attentions of large cases only from the last layer."""
    size = sum(value.nbytes for name, value in sites if name.startswith("attentions."))
    if size <= ATTENTION_BYTES:
        return sites
    last = f"attentions.{layers - 1}"
    return [(name, value) for name, value in sites if not name.startswith("attentions.") or name == last]


def table_case(probe: Any, part: str, precision: str, seed: int) -> Any:
    """Every row of an embedding, through the embedding alone; of a large one, its product with seeded columns."""
    import paddle

    layer = getattr(probe.backbone.embeddings, part)
    rows, width = layer.weight.shape
    inputs = {}
    columns = None
    if rows * width * 8 > ROWS_BYTES:
        random = np.random.RandomState(seed)
        # Away from 0, so that each element of a row has a share in the product.
        signs = random.randint(0, 2, size=(width, PROJECTIONS)) * 2 - 1
        columns = (signs * random.uniform(0.5, 1.5, size=(width, PROJECTIONS))).astype(precision)
        inputs["columns"] = columns
    found = []
    with paddle.no_grad():
        for start in range(0, rows, 8192):
            block = layer(paddle.to_tensor(np.arange(start, min(start + 8192, rows), dtype=np.int64))).numpy()
            found.append(block if columns is None else block.dot(columns))
    name = "rows." + part
    case = dict(name=name, why="every row of the table", inputs=inputs, through=part, inside=False)
    return case, [(part, np.concatenate(found))]


# ---------------------------------------------------------------------------------------------- tokens and the trace


def read_texts(path: str) -> Any:
    with open(path, encoding="utf-8", newline="\n") as file:
        return [line[:-1] if line.endswith("\n") else line for line in file]


def tokenize(folder: str, texts: Any) -> Any:
    from paddlenlp.transformers import ErnieMTokenizer

    tokenizer = ErnieMTokenizer.from_pretrained(folder)
    return [list(map(int, tokenizer(text)["input_ids"])) for text in texts]


def choose_sentences(ids: Any, vocabulary: int, seed: int, longest: int) -> Any:
    """Sentences for the cases: spread over the texts, or made of random ids when there is no tokenizer."""
    usable = [row for row in ids or [] if len(row) > 3 and max(row) < vocabulary]
    if usable:
        return [usable[place] for place in np.linspace(0, len(usable) - 1, 12).astype(int)]
    random = np.random.RandomState(seed + 1)
    high = max(vocabulary - 1, 4)
    lengths = [5 + (7 * number) % 17 for number in range(12)]
    rows = [[0, *random.randint(3, high, size=min(size, longest - 2)).tolist(), 2] for size in lengths]
    return [[token % vocabulary for token in row] for row in rows]


def versions() -> Any:
    import paddle
    import paddlenlp
    import safetensors
    import sentencepiece

    return {
        "python": platform.python_version(),
        "paddle": paddle.__version__,
        "paddlenlp": paddlenlp.__version__,
        "numpy": np.__version__,
        "safetensors": getattr(safetensors, "__version__", ""),
        "sentencepiece": sentencepiece.__version__,
        "machine": platform.machine(),
    }


def record(request: Any) -> Any:
    precision, seed = request["precision"], request["seed"]
    say("reading the checkpoint with Paddle")
    paths = weight_files(request["source"], request["files"])
    weights = read_weights(paths)
    tensors = dict((name, describe(array)) for name, array in weights.items())
    name, fields, how = read_config(request)
    say(f"building {name} in {precision}")
    model = build_model(name, fields, precision)
    round_to = request.get("round_to")
    notes, pooler = set_weights(model, weights, precision, round_to)
    if round_to is not None:
        notes.append(f"weights rounded to {round_to}, as OUTPUT's are")
    # Before the cases, which set fields of it.
    config = dict((key, value) for key, value in sorted(model.config.to_dict().items()) if key != "paddlenlp_version")
    texts = read_texts(request["texts"])
    ids, problem = None, None
    if request.get("tokenizer"):
        say("tokenizing with PaddleNLP")
        try:
            ids = tokenize(request["tokenizer"], texts)
        except Exception as error:  # a tokenizer that PaddleNLP cannot load says nothing about the weights
            problem = f"{type(error).__name__}: {error}"
    sentences = choose_sentences(ids, model.config.vocab_size, seed, model.config.max_position_embeddings - 2)
    cases = Designer(model, sentences, precision, seed).design()
    arrays, entries = run_cases(model, cases, precision, seed, pooler)
    head = {
        "format": TRACE_FORMAT,
        "architecture": name,
        "precision": precision,
        "round_to": round_to,
        "config": config,
        "layer_norm_eps": epsilons(model),
        "how": [how, *notes],
        "files": [{"name": os.path.basename(path), "sha256": file_sha256(path)} for path in paths],
        "tensors": tensors,
        "environment": versions(),
        "cases": entries,
        "tokenizer": None if ids is None else {"texts": len(texts)},
        "tokenizer_problem": problem,
        "texts_sha256": file_sha256(request["texts"]),
    }
    if ids is not None:
        arrays["tokens/ids"] = np.array([token for row in ids for token in row], np.int64)
        arrays["tokens/offsets"] = np.cumsum([0] + [len(row) for row in ids]).astype(np.int64)
        arrays["tokens/texts"] = np.frombuffer(json.dumps(texts).encode("ascii"), np.uint8).copy()
    return arrays, head


def epsilons(model: Any) -> Any:
    """Of every LayerNorm, as Paddle's kernel gets it: a float32, whatever the precision of the model."""
    norms = [part for part in model.sublayers() if type(part).__name__ == "LayerNorm"]
    return sorted(set(float(np.float32(part._epsilon)) for part in norms))


def run_cases(model: Any, cases: Any, precision: str, seed: int, pooler: bool) -> Any:
    probe = Probe(model)
    layers = len(probe.backbone.encoder.layers)
    check_repeats(probe, cases[0])
    arrays, entries = {}, []
    done = []
    for part in ("word_embeddings", "position_embeddings"):
        say("Paddle: every row of " + part)
        done.append(table_case(probe, part, precision, seed))
    for number, case in enumerate(cases):
        say(f"Paddle: case {number + 1} of {len(cases)}, {case['name']}")
        done.append((case, keep_sites(case, probe.run(case), layers)))
    for case, sites in done:
        sites = [(site, value) for site, value in sites if pooler or site != "pooler_output"]
        for site, value in sites:
            if not np.isfinite(value).all():
                where = f"{case['name']}, {site}"
                raise Refused(f"Paddle's numbers are not finite ({where}): the weights, or this Paddle, are broken")
            # reshape: numpy makes one element of a scalar
            arrays[f"case/{case['name']}/site/{site}"] = np.ascontiguousarray(value).reshape(value.shape)
        for key, value in case["inputs"].items():
            arrays[f"case/{case['name']}/input/{key}"] = np.ascontiguousarray(value)
        entry = dict((key, case[key]) for key in case if key != "inputs")
        entries.append(dict(entry, inputs=sorted(case["inputs"]), sites=[site for site, _ in sites]))
    return arrays, entries


def check_repeats(probe: Any, case: Any) -> None:
    """The same input twice: a broken Paddle gives other or empty numbers (PaddleNLP issues 6280, 6884, 7465)."""
    first, second = probe.run(case), probe.run(case)
    for (site, one), (_, other) in zip(first, second):
        if one.size == 0 or not np.array_equal(one, other):
            raise Refused(f"this Paddle is broken: the same input gave other numbers at {site}")


def main() -> int:
    from safetensors.numpy import save_file

    request = read_json(sys.argv[1])
    try:
        arrays, head = record(request)
        say("writing the trace")
        # Every bit of a trace is summed: the arrays in the head, the head in front of itself.
        head["arrays"] = dict((name, hashlib.sha256(array.tobytes()).hexdigest()) for name, array in arrays.items())
        text = json.dumps(head, sort_keys=True)
        digest = hashlib.sha256(text.encode("utf-8")).hexdigest()
        save_file(arrays, request["output"], metadata={"paddle2torch_trace": digest + text})
    except Refused as error:
        print(f"@error {error}")
        sys.stdout.flush()
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
