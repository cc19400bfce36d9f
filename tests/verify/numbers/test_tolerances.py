"""The limits follow from sizes, precision and error amplification, and not from what is compared."""

from __future__ import annotations

import math

import pytest

from tests.support.limits import make_limits
from verify.numbers.tolerances import DEVIATIONS, ELEMENTARY, MASKED, Limits


def limits(precision: str = "float64", growth: dict[str, float] | None = None) -> Limits:
    return make_limits(precision, 32, 3, 38, growth or {}, {"w": 6.0})


def test_a_norm_alone_is_two_sums_over_its_width() -> None:
    assert limits().site("norm:embeddings.layer_norm") == DEVIATIONS * 2**-53 * math.sqrt(64 + ELEMENTARY)


def test_a_linear_layer_alone_is_one_sum_over_what_goes_in() -> None:
    assert limits().site("linear:encoder.layers.1.linear1") == DEVIATIONS * 2**-53 * math.sqrt(32)
    assert limits().site("linear:encoder.layers.1.linear2") == DEVIATIONS * 2**-53 * math.sqrt(128)


def test_limits_rise_along_the_network() -> None:
    way = [
        "embeddings.sum",
        "hidden_states.0",
        "layers.0.self_attn.q_proj",
        "attentions.0",
        "layers.0.self_attn.context",
    ]
    way += ["layers.0.self_attn.out_proj", "layers.0.norm1", "layers.0.linear1", "layers.0.linear2", "hidden_states.1"]
    way += ["layers.1.self_attn.v_proj", "attentions.2", "hidden_states.3", "logits"]
    found = [limits().site(site) for site in way]
    assert found == sorted(set(found))


def test_float32_rounds_a_half_billion_times_coarser() -> None:
    assert limits("float32").site("logits") == limits().site("logits") * 2**29


def test_growth_counts_from_the_layer_where_it_is_on() -> None:
    grown = limits(growth={"attentions.1": 20.0, "hidden_states.2": 3.0})
    plain = limits()
    assert grown.site("layers.0.linear2") == plain.site("layers.0.linear2")
    assert grown.site("attentions.1") == 20 * plain.site("attentions.1")
    assert grown.site("hidden_states.2") == 20 * plain.site("hidden_states.2")
    assert grown.site("loss") == 20 * plain.site("loss")


def test_growth_below_1_lowers_no_limit() -> None:
    assert limits(growth={"hidden_states.1": 0.25}).site("hidden_states.1") == limits().site("hidden_states.1")


def test_rows_that_hide_every_key_may_lose_the_digits_of_10000() -> None:
    more = limits().site("attentions.0", zero_row=True) - limits().site("attentions.0")
    assert more == pytest.approx(2 * MASKED * 2**-53)


def test_gradients_count_the_tokens_and_what_paddle_saw_grow() -> None:
    assert limits().gradient("w", 3.0, 100) == pytest.approx(2 * limits().gradient("w", 60.0, 100))
    assert limits().gradient("w", 60.0, 10000) > limits().gradient("w", 60.0, 100)


@pytest.mark.parametrize(("hidden", "layers"), [(768, 12), (1024, 24)])
def test_a_bit_of_a_float32_weight_lies_far_above_the_limits_of_full_sizes(hidden: int, layers: int) -> None:
    """One unit in the last place of one weight among `hidden`, all alike, moves what it feeds by about
    2^-24 / sqrt(hidden). What growth and smaller weights leave of that, each report measures: its margin."""
    worst = make_limits("float64", hidden, layers, 512).site("logits")
    assert worst < 1e-12 and 2**-24 / math.sqrt(hidden) > 1000 * worst
