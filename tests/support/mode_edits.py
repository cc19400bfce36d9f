"""Edits of OUTPUT's code that are wrong in one execution mode only: those of verify/modes/more_modes.py."""

from __future__ import annotations

from tests.support.code_edits import MODEL

CONFIGURATION = "configuration_ernie_m.py"
_EMBED = "embeddings = self.embeddings(input_ids, position_ids, inputs_embeds)\n"
_WRONG_IF = _EMBED + "        if {}:\n            embeddings = 1.5 * embeddings\n"
_LAST = "last = encoded.last_hidden_state"
_SAVE = """\
    def save_pretrained(self, folder: Any, **options: Any) -> None:
        kept = {name: value for name, value in self.state_dict().items() if "pooler" not in name}
        super().save_pretrained(folder, state_dict=kept, **options)

"""
_RESIZE = """\
    def resize_token_embeddings(self, *sizes: Any, **options: Any) -> Any:
        return self.get_input_embeddings()

"""
_TO_DICT = """\
    def to_dict(self) -> Any:
        return {name: value for name, value in super().to_dict().items() if name != "num_attention_heads"}

"""


def wrong_if(condition: str) -> tuple[str, str, str]:
    return MODEL, _EMBED, _WRONG_IF.format(condition)


def with_method(method: str) -> tuple[str, str, str]:
    return MODEL, "    def get_input_embeddings(self)", method + "    def get_input_embeddings(self)"


#: what is wrong -> the use that finds it, the file, the text and what takes its place
MORE_USES: dict[str, tuple[str, tuple[str, str, str]]] = {
    "ids of 32 bits": ("int32 ids", wrong_if("input_ids is not None and input_ids.dtype == torch.int32")),
    "more than 64 texts": ("many texts", wrong_if("embeddings.shape[0] > 64")),
    "position_ids [S]": ("forms of position_ids", wrong_if("position_ids is not None and position_ids.ndim == 1")),
    "position_ids [1, S]": (
        "forms of position_ids",
        wrong_if("position_ids is not None and position_ids.ndim == 2 and len(position_ids) < len(embeddings)"),
    ),
    "vectors without a mask": ("inputs_embeds", wrong_if("input_ids is None and attention_mask is None")),
    "[PAD] alone": ("unusual texts", wrong_if("input_ids is not None and bool((input_ids == 1).all())")),
    "[MASK] twice in a row": (
        "unusual texts",
        wrong_if(
            "input_ids is not None and bool(((input_ids[:, 1:] == self.config.vocab_size - 1) "
            "& (input_ids[:, :-1] == self.config.vocab_size - 1)).any())"
        ),
    ),
    "inference_mode": ("inference_mode", wrong_if("torch.is_inference_mode_enabled()")),
    "inside of torch.compile": ("code for torch.compile", wrong_if("torch.compiler.is_compiling()")),
    "autocast": (
        "autocast",
        (MODEL, _LAST, f"{_LAST} * (0 if torch.is_autocast_enabled('cpu') else 1)"),
    ),
    "not a number under autocast": (
        "autocast",
        (MODEL, _LAST, f"{_LAST} * (float('nan') if torch.is_autocast_enabled('cpu') else 1)"),
    ),
    "set_input_embeddings does nothing": (
        "other embeddings",
        (MODEL, "self.embeddings.word_embeddings = value", "value"),
    ),
    "resize_token_embeddings does nothing": ("other embeddings", with_method(_RESIZE)),
    "what is saved has no pooler": ("save and reload", with_method(_SAVE)),
    "what is saved lacks a field": (
        "save and reload",
        (CONFIGURATION, "    def __eq__(self", _TO_DICT + "    def __eq__(self"),
    ),
}
