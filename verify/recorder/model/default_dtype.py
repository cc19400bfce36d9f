"""The dtype that `from_pretrained` loads a checkpoint in when it is not asked for one."""

from __future__ import annotations

from typing import Any

from verify.recorder.families.family import Family

#: Of PaddleNLP before 2.5, which has no config classes, of configs that name none, and of transformers 4.
USUAL_DTYPE = "float32"


def default_dtype(family: Family, fields: dict[str, Any], of_port: bool) -> str:
    """From this PaddleNLP's own config class; transformers 4 loads its ports in float32 whatever the config names."""
    config_class = None if of_port else family.config_class()
    if config_class is None:
        return USUAL_DTYPE
    import paddle

    # A config that names no dtype gets the one in which Paddle builds at this moment.
    before = paddle.get_default_dtype()
    paddle.set_default_dtype(USUAL_DTYPE)
    try:
        # A copy: the class takes aliases out of what it is given.
        return getattr(config_class.from_dict(dict(fields)), "dtype", None) or USUAL_DTYPE
    finally:
        paddle.set_default_dtype(before)
