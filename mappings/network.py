"""The network of a family as it is compared: its activations in the order in which they are computed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

#: What `roundings` may name besides sizes of the config.
STEPS = ("norm", "elementary", "positions")
#: The group of the pooling layer's output.
POOLER = "pooler"
#: How the names of modules that were run alone begin.
NORM, LINEAR = "norm:", "linear:"
#: How position_ids may be given: for all texts alike, in one row, or in a row for each text.
POSITION_FORMS = ("[S]", "[1, S]", "[B, S]")


@dataclass(frozen=True)
class Activation:
    """One activation. It is the output, with `input` the input, of `module`: that of the PyTorch model, from the
    encoder on (of a layer: from the layer on; of a head: the whole name); without one it is an output of the model.

    `roundings`: the sizes over which sums are rounded since the activation before. `same_input_as`: an activation
    that is computed from the same input. `norm`, `linear`: the module of that kind that computes it last. `sigmoid_of`:
    Paddle returns the sigmoid of that output. `hint`: where to look when this is the first that differs and `agrees`,
    an activation before it, does not; `hint_alone`: where to look when nothing is known of `agrees`. In both {layer}
    is the number of the layer.
    """

    name: str
    module: str = ""
    input: bool = False
    group: str = ""
    roundings: tuple[str, ...] = ()
    same_input_as: str = ""
    norm: str = ""
    linear: str = ""
    sigmoid_of: str = ""
    hint: str = ""
    agrees: str = ""
    hint_alone: str = ""


@dataclass(frozen=True)
class LookupTable:
    """An embedding that is compared row by row. `rows`: what its rows are."""

    name: str
    module: str
    rows: str


@dataclass(frozen=True)
class Attention:
    """The activations that the attention of a layer is made of."""

    query: str
    key: str
    value: str
    probabilities: str
    gathered: str


@dataclass(frozen=True)
class Hints:
    """Where to look when the cases that differ have something in common. `norm`: a LayerNorm that was run alone, its
    name for {module}. `positions`, `no_mask`: only calls with position_ids, or without a mask. `small_inputs`: of the
    embeddings only those as small as epsilon."""

    norm: str
    positions: str
    no_mask: str
    small_inputs: str


@dataclass(frozen=True)
class Network:
    """Embeddings, the activations of one layer, and what follows the last layer, each in order.

    The names of activations are those of a trace: `layers.N.PART` inside layer N, `OUTPUT.N` for an output of the model
    that it has for each layer, `norm:MODULE` and `linear:MODULE` for a module that was run alone.
    """

    tables: tuple[LookupTable, ...]
    begin: tuple[Activation, ...]
    layer: tuple[Activation, ...]
    ends: tuple[Activation, ...]
    attention: Attention
    hints: Hints
    #: The module of a layer in PyTorch and in Paddle, with {layer} for its number.
    layer_module: str
    paddle_layer: str
    #: Roundings from the last layer to any output.
    end_roundings: tuple[str, ...]
    #: Module in PyTorch -> in Paddle, where they differ and no activation has it; {layer} for the number of a layer.
    paddle_modules: Mapping[str, str]
    #: Forms of position_ids that the PyTorch model takes, of POSITION_FORMS.
    position_forms: tuple[str, ...]

    @cached_property
    def end_names(self) -> tuple[str, ...]:
        return tuple(end.name for end in self.ends)

    @cached_property
    def table_names(self) -> tuple[str, ...]:
        return tuple(table.name for table in self.tables)

    @cached_property
    def token_table(self) -> LookupTable:
        return next(table for table in self.tables if table.rows == "ids")

    @cached_property
    def pooler(self) -> Activation | None:
        """The output of the pooling layer."""
        return next((end for end in self.ends if end.group == POOLER), None)

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        outputs = "|".join(re.escape(part.name) for part in self.layer if not part.module)
        return re.compile(rf"(?:layers\.(\d+)\.(.+)|({outputs})\.(\d+))")

    @cached_property
    def _in_layer(self) -> re.Pattern[str]:
        """A parameter or module in a layer, on either side: its number, and the rest of its name."""
        places = {
            re.escape(name.format(layer="#")).replace(r"\#", r"(\d+)")
            for name in (self.layer_module, self.paddle_layer)
        }
        return re.compile("|".join(rf"(?:.*\.)?{place}\.(.+)" for place in sorted(places)))

    def place_in_layer(self, name: str) -> tuple[int, Activation | None] | None:
        """The layer that an activation belongs to (from 0) and which of the layer's it is; None outside the layers.

        `hidden_states.N` is the state after layer N - 1; `hidden_states.0` is none of a layer.
        """
        # Asked for the same names in every case of a trace, and for every injected fault.
        if name not in self._places:
            self._places[name] = self._find_place(name)
        return self._places[name]

    @cached_property
    def _places(self) -> dict[str, tuple[int, Activation | None] | None]:
        """What `place_in_layer` has found so far."""
        return {}

    def _find_place(self, name: str) -> tuple[int, Activation | None] | None:
        match = self._pattern.fullmatch(name)
        if match is None or name in (entry.name for entry in self.begin):
            return None
        part = next((entry for entry in self.layer if entry.name == (match[2] or match[3])), None)
        number = int(match[1] or match[4])
        return (number - 1 if part is self.layer[-1] else number), part

    def outside(self, name: str) -> Activation | None:
        """The activation before or after the layers that has this name."""
        return next((entry for entry in (*self.begin, *self.ends) if entry.name == name), None)

    def state_after(self, layers: int) -> str:
        """The name of the hidden state after so many layers; after 0 of them, of the embeddings."""
        return f"{self.layer[-1].name}.{layers}"

    def depth(self, name: str) -> tuple[int, int]:
        """Where an activation lies, to sort by: (-1, 0) in front of the layers and for what was run alone, from (1, 0)
        on in the layers, then the outputs behind them, last a linear layer that was run alone."""
        if name in self.end_names:
            return 1 << 30, self.end_names.index(name)
        if name.startswith(LINEAR):  # It is reported where nothing in the network shows the fault.
            return 1 << 31, 0
        place = self.place_in_layer(name)
        if place is not None:
            return place[0] + 1, self.layer.index(place[1]) if place[1] is not None else len(self.layer)
        return (0, len(self.layer) - 1) if name == self.state_after(0) else (-1, 0)

    def depth_of_parameter(self, name: str) -> tuple[int, int]:
        """The same for a parameter of the model."""
        number = self.layer_of_parameter(name)
        if number is None:
            return (
                (-1, 0)
                if any(f"{table.module}." in name for table in self.tables) or self._is_begin(name)
                else (1 << 30, 0)
            )
        modules = ((index, part) for index, part in enumerate(self.layer) if part.module and not part.input)
        parts = (index for index, part in modules if part.module in name or f".{part.name}." in name)
        return number, next(parts, len(self.layer))

    def _is_begin(self, name: str) -> bool:
        modules = {entry.module or entry.norm for entry in self.begin}
        return any(f"{module}." in name for module in modules if module)

    def layer_of_parameter(self, name: str) -> int | None:
        """The number of the layer that has this parameter or module, by its name on either side."""
        match = self._in_layer.fullmatch(name)
        return None if match is None else int(next(group for group in match.groups() if group is not None))

    def module_of(self, name: str) -> tuple[str, bool]:
        """The PyTorch module of an activation, from the encoder on, and whether the activation is its input; an empty
        name for an output of the model."""
        outside = self.outside(name)
        if outside is not None:
            return outside.module, outside.input
        place = self.place_in_layer(name)
        if place is None or not name.startswith("layers."):
            return "", False
        number, part = place
        module = name.split(".", 2)[2] if part is None else part.module
        return f"{self.layer_module.format(layer=number)}.{module}", part is not None and part.input

    def input_size_of(self, module: str) -> str:
        """The size (a field of the config) of what goes into a linear layer, by its name in Paddle."""
        part = next((each for each in self.layer if module.endswith(f".{each.name}")), None)
        steps = (step for step in (part.roundings if part is not None else ()) if step not in STEPS)
        return next(steps, "hidden_size")

    def is_internal(self, name: str) -> bool:
        """Whether only hooks on modules of the usual names can see an activation."""
        outside = self.outside(name)
        inside = name.startswith(("layers.", NORM, LINEAR))
        return inside or (outside is not None and outside.input)

    def is_of_pooler(self, name: str) -> bool:
        return self.pooler is not None and name in (self.pooler.name, LINEAR + self.pooler.linear)

    def group_of(self, name: str) -> str:
        """The part of the network that an activation belongs to: embeddings, layers, pooler, head or loss."""
        outside = self.outside(name)
        if outside is not None:
            return outside.group
        module = name[len(LINEAR) :] if name.startswith(LINEAR) else name[len(NORM) :] if name.startswith(NORM) else ""
        if module and self.layer_of_parameter(f"{module}.weight") is None:
            ends = {end.linear: end.group for end in self.ends if end.linear}
            return ends.get(module, "embeddings" if self._is_begin(f"{module}.") else "head")
        return "embeddings" if name in self.table_names else "layers"

    def kind_of(self, parameter: str) -> str:
        """The module of a parameter, by the name that it has in every layer; of a table its name."""
        module = re.sub(r"\.(weight|bias)$", "", parameter)
        match = self._in_layer.fullmatch(module)
        if match is not None:
            rest = next(group for group in reversed(match.groups()) if group is not None)
            part = next((each for each in self.layer if rest in (each.module, each.name) and not each.input), None)
            return (part.name if part is not None else rest).rpartition(".")[2]
        return next((table.name for table in self.tables if module.endswith(table.module)), module)

    def values_of(self, parameter: str) -> str:
        """The values' parameter next to this one of the queries or keys, by Paddle's names; any other is its own."""
        either = "|".join(map(re.escape, (self.attention.query, self.attention.key)))
        return re.sub(rf"(?<=\.)(?:{either})(?=\.)", self.attention.value, parameter)

    def queries_of(self, parameter: str) -> str:
        """The queries' bias next to this bias of the keys, by Paddle's names; any other parameter is its own."""
        key, query = f".{self.attention.key}.bias", f".{self.attention.query}.bias"
        return parameter[: -len(key)] + query if parameter.endswith(key) else parameter

    @cached_property
    def paddle_names(self) -> Mapping[str, str]:
        """Module in PyTorch, from the encoder on -> in Paddle, where they differ; {layer} for the number of a layer."""
        parts = [(part.module, part.name) for part in self.layer if part.module and not part.input]
        in_layers = {f"{self.layer_module}.{ours}": f"{self.paddle_layer}.{theirs}" for ours, theirs in parts}
        return {ours: theirs for ours, theirs in {**in_layers, **self.paddle_modules}.items() if ours != theirs}
