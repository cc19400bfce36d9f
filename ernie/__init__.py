"""UIE in PyTorch: the one class of the ERNIE family that transformers does not have.

Everything else of ERNIE is transformers' own, so nothing is registered here: `AutoModel` gives ErnieModel as before,
and the class below for a folder that names it, with `trust_remote_code=True`.
"""

from __future__ import annotations

from .modeling_ernie_extraction import ErnieForInformationExtraction

__all__ = ["ErnieForInformationExtraction"]
