"""Our tensor names are those of transformers 4.57's own ErnieM, so that one file loads in both."""

from __future__ import annotations

import pytest

from mappings import expand, load_table
from tests.support.classes import ERNIE_M_CLASSES
from tests.support.models import parameters_of

SIZES = {
    "vocab_size": 60,
    "max_position_embeddings": 20,
    "hidden_size": 16,
    "intermediate_size": 64,
    "num_hidden_layers": 3,
    "num_labels": 5,
}


#: The port has no masked LM.
CLASSES = [name for name in ERNIE_M_CLASSES if name != "ErnieMForMaskedLM"]


@pytest.mark.parametrize("name", CLASSES)
def test_every_target_is_a_parameter_of_the_class_that_transformers_4_has(name: str) -> None:
    table = load_table(name)
    made = {entry.target: entry.target_shape for entry in expand(table, table.schemes[0], SIZES) if entry.target}
    assert made == parameters_of("transformers.models.deprecated.ernie_m", table.target_class, SIZES)
