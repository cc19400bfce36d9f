"""Which rules a converted model follows where Paddle's own releases differ: the keys that are hidden when no mask is
given (MODEL.md, quirk 1), where positions begin, and how pieces are cut into tokens (TOKENIZER.md, section 9)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

#: Stands for the config's pad_token_id.
PAD = -1
#: The one that a user of padded batches may choose.
UNPADDED = "paddlenlp-unpadded"


@dataclass(frozen=True)
class Behavior:
    """A named set of fields of the output's config.json and tokenizer_config.json.

    `PAD` in `implicit_mask_token_ids` is the config's pad_token_id. `attention_mask_value` None: the dtype's lowest
    number. `implicit_mask_queries`: a token that is hidden without a mask hides every key from its own row, which then
    sees all of them alike. `position_offset`: the row of the first position.
    """

    name: str
    implicit_mask_token_ids: tuple[int, ...]
    attention_mask_value: float | None
    piece_rule: str
    #: For people: whose rule it is, and what it does.
    said: str
    position_offset: int = 2
    implicit_mask_queries: bool = False

    @property
    def shows_padding(self) -> bool:
        """Whether padding changes the numbers of a call without a mask, and hiding its id as well would undo that: not
        where a row of a hidden id sees every key."""
        return not self.implicit_mask_queries and not {PAD, 1} & {*self.implicit_mask_token_ids}

    def hidden_ids(self, pad_token_id: int) -> list[int]:
        """What config.json says under `implicit_mask_token_ids`."""
        return sorted({pad_token_id if hidden == PAD else hidden for hidden in self.implicit_mask_token_ids})


BEHAVIORS = {
    behavior.name: behavior
    for behavior in (
        Behavior("paddlenlp", (0,), -10000.0, "paddlenlp", "PaddleNLP's: without a mask [CLS] is hidden"),
        Behavior("release", (1,), -10000.0, "release", "the 2021 release's: without a mask [PAD] is hidden"),
        Behavior("transformers", (PAD,), None, "paddlenlp", "transformers' port's: without a mask [PAD] is hidden"),
        Behavior(
            UNPADDED,
            (0, PAD),
            -10000.0,
            "paddlenlp",
            "PaddleNLP's for texts one by one, in a padded batch too: without a mask [CLS] and [PAD] are hidden",
        ),
        Behavior(
            "erniekit",
            (0,),
            -10000.0,
            "release",
            "ERNIEKit's: positions begin at row 0; without a mask [CLS] is hidden from the others and sees everything",
            position_offset=0,
            implicit_mask_queries=True,
        ),
    )
}
#: What a user may ask for; "transformers" is for folders of transformers alone, and is taken there.
CHOICES = ("paddlenlp", UNPADDED, "release", "erniekit")


def usual_behavior(naming: str, config_kind: str, files: Sequence[str], told: str = "") -> str:
    """The behavior of a checkpoint with these names of tensors, this kind of config and these tokenizer files.
    `told`: the one that follows from the names."""
    if naming == "transformers":
        return "transformers"
    if told or config_kind == "erniekit":
        return told or "erniekit"
    return "release" if naming == "official" or config_kind == "release" or "piece.model" in files else "paddlenlp"
