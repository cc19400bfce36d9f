"""Information extraction gives the answers of PaddleNLP's Taskflow, and reads on where Taskflow cuts off."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from tests.ernie_m.tokenization_reference import official_folder, small_folder
from tests.support.taskflow import CALLS, CHINESE, LONG, NESTED, TEXTS, Asked, ask_taskflow, flatten
from tests.support.uie_folders import read_vocabulary, write_small_vocabulary, write_tokenizer

torch = pytest.importorskip("torch")

#: Class, vocabulary, seed. What is not "small" is the real vocabulary, where that is at hand.
#: With some seeds every place of an empty text is an answer, and Taskflow asks on about each of the 512.
MODELS = [
    ("UIEM", "small", 4),
    ("UIEM", "small", 5),
    ("UIEM", "official", 1),
    ("UIE", "small", 4),
    ("UIE", "ernie3_zh", 1),
    ("UIE", "ernie2_en", 4),
]


@pytest.fixture(scope="module", params=MODELS, ids=lambda model: "-".join(map(str, model)))
def asked(run_paddle: Callable[..., None], tmp_path_factory: pytest.TempPathFactory, request: Any) -> Asked:
    kind, which, seed = request.param
    source = tmp_path_factory.mktemp("uie") / "source"
    shared = None if which == "small" else request.getfixturevalue("shared_data")
    if kind == "UIEM":
        folder = small_folder(source) if shared is None else official_folder(shared, source)
        return ask_uie_m(folder, lambda calls: ask_taskflow(run_paddle, folder, kind, calls, seed))
    if shared is None:
        write_small_vocabulary(source, [*TEXTS, *LONG, CHINESE, str(NESTED), str(CALLS[1]["schema"]), "的 of ()"])
    else:
        source.mkdir()
        (source / "vocab.txt").write_bytes((shared / "families" / f"{which}.vocab.txt").read_bytes())
    return ask_uie(source, lambda calls: ask_taskflow(run_paddle, source, kind, calls, seed))


def ask_uie_m(source: Path, ask: Callable[[list[Any]], list[Any]]) -> Asked:
    import ernie_m
    from converter import convert
    from ernie_m.extraction import InformationExtractor

    answers, output = ask(CALLS), source.with_name("out")
    convert(source, output)
    model = ernie_m.ErnieMForInformationExtraction.from_pretrained(output)
    return Asked(CALLS, answers, output, InformationExtractor, model, ernie_m.ErnieMTokenizer.from_pretrained(output))


def ask_uie(source: Path, ask: Callable[[list[Any]], list[Any]]) -> Asked:
    """Every window of a long Chinese text is full, and has as many tokens as characters: Taskflow loses nothing."""
    from transformers import PreTrainedTokenizerFast

    import ernie
    from converter import convert
    from ernie.extraction import InformationExtractor
    from extraction.schema import HALF_WIDTH

    vocabulary, output = read_vocabulary(source), source.with_name("out")
    source.with_name("tokenizer").mkdir()
    write_tokenizer(source.with_name("tokenizer"), vocabulary)
    tokenizer = PreTrainedTokenizerFast.from_pretrained(source.with_name("tokenizer"))
    calls = [*CALLS, {"schema": ["时间", "情感倾向[正向，负向]"], "texts": [CHINESE], "options": {}}]
    # Around [UNK] PaddleNLP guesses the places of characters.
    known = {text for text in [*TEXTS, *LONG, CHINESE] if tokenizer.unk_token not in tokenizer.tokenize(text)}
    kept = [{**call, "texts": [text for text in as_list(call["texts"]) if text in known]} for call in calls]
    prompts = [str(call["schema"]).translate(HALF_WIDTH) for call in kept]
    kept = [call for call, prompt in zip(kept, prompts) if tokenizer.unk_token not in tokenizer.tokenize(prompt)]
    assert len(kept) > 1
    answers = ask(kept)
    convert(source, output)
    write_tokenizer(output, vocabulary)
    model = ernie.ErnieForInformationExtraction.from_pretrained(output)
    return Asked(kept, answers, output, InformationExtractor, model, tokenizer)


def as_list(texts: Any) -> list[str]:
    return [texts] if isinstance(texts, str) else texts


@pytest.mark.parametrize("dtype, tolerance", [(torch.float64, 1e-12), (torch.float32, 1e-5)])
def test_answers_are_those_of_taskflow(asked: Asked, dtype: torch.dtype, tolerance: float) -> None:
    assert len(asked.calls) == len(asked.answers)
    compared = 0
    for call, answers in zip(asked.calls, asked.answers):
        found = asked.extractor(call["schema"], dtype, **call["options"])(call["texts"])
        assert len(found) == len(answers)
        for ours, taskflow in zip(found, answers):
            rows, expected = flatten(ours), flatten(taskflow)
            compared += len(rows)
            assert [row[:-1] for row in rows] == [row[:-1] for row in expected], call
            assert [row[-1] for row in rows] == pytest.approx([row[-1] for row in expected], rel=0, abs=tolerance)
    assert compared > 100


def test_what_is_compared_holds_every_kind_of_answer(asked: Asked, request: pytest.FixtureRequest) -> None:
    """Of the models with a small vocabulary: spans, classes, relations of two depths, a second window, nothing."""
    rows = [row for answers in asked.answers for answer in answers for row in flatten(answer)]
    if request.node.callspec.params["asked"][1:] == ("small", 4):
        assert sum(row[1] >= 0 for row in rows) > 100 and sum(row[1] < 0 for row in rows) > 20
        assert {row[0].count("/") for row in rows} >= {1, 2, 3} and any(row[1] > 512 for row in rows)
        assert {} in chain.from_iterable(asked.answers)


@pytest.mark.parametrize("windows", ["characters", "tokens"])
def test_every_token_of_a_long_text_is_seen_once(asked: Asked, windows: str) -> None:
    """With a probability of 0 every token is an answer of its own, so that a gap or a repetition shows."""
    extract = asked.extractor("Time", position_prob=0.0, max_seq_len=128, windows=windows, overlap=20)
    answers = extract(CHINESE)[0]["Time"]
    found = [one for one in answers if one.get("end")]
    assert len(CHINESE) > 5 * 128
    spans = [(one["start"], one["end"]) for one in found if one["text"]]
    assert all(one["text"] == CHINESE[one["start"] : one["end"]] for one in found)
    every = asked.tokenizer(CHINESE, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
    offsets = [span for span in every if span[1] > span[0]]
    if windows == "tokens":
        assert spans == [tuple(span) for span in offsets]
    else:  # pieces are cut by characters, also within a token
        assert "".join(CHINESE[start:end] for start, end in spans) == CHINESE


def test_a_window_less_than_full_is_what_the_model_says_of_the_padded_row(asked: Asked) -> None:
    """One [PAD] in place of all, for a model that sees them and for one that does not."""
    from extraction.reading import read_windows
    from extraction.windows import Windows

    model, tokenizer = asked.extractor("时间", torch.float64).model, asked.tokenizer
    with_types = hasattr(model.config, "type_vocab_size")
    windows = [*chain.from_iterable(Windows(tokenizer, 512, 64, with_types).cut(text, "时间", None) for text in TEXTS)]
    for inputs, kept in padded_rows(model, windows, tokenizer.pad_token_id):
        with torch.no_grad():
            output = model(**inputs)
        starts, ends = map(torch.tensor, read_windows(model, tokenizer.pad_token_id, 512, windows))
        assert torch.allclose(starts[kept], output.start_logits.sigmoid()[kept].float(), rtol=0, atol=1e-6)
        assert torch.allclose(ends[kept], output.end_logits.sigmoid()[kept].float(), rtol=0, atol=1e-6)


def padded_rows(model: Any, windows: list[Any], pad: int) -> Iterator[tuple[dict[str, torch.Tensor], torch.Tensor]]:
    """Inputs of 512 tokens and the places to compare: one for UIE, for UIE-M one for each way to hide tokens."""

    def fill(rows: Any, value: int) -> torch.Tensor:
        return torch.tensor([[*row, *[value] * (512 - len(row))] for row in rows])

    inputs = {
        "input_ids": fill([window.ids for window in windows], pad),
        "position_ids": fill([range(len(window.ids)) for window in windows], 0),
    }
    if windows[0].types is not None:
        inputs["token_type_ids"] = fill([window.types for window in windows], 0)
        inputs["attention_mask"] = fill([[1] * len(window.ids) for window in windows], 0)
        yield inputs, torch.ones_like(inputs["input_ids"], dtype=torch.bool)
        return
    for hidden in ([0], [0, 1], []):
        model.config.implicit_mask_token_ids = hidden
        # Where [PAD] is hidden its own numbers are those of one that nobody sees.
        ids = inputs["input_ids"]
        yield inputs, ids != 1 if 1 in hidden else torch.ones_like(ids, dtype=torch.bool)
    model.config.implicit_mask_token_ids = [0]


def test_windows_do_not_change_a_text_that_fits(asked: Asked) -> None:
    texts = [text for text in TEXTS if len(text) < 100]
    by_characters, by_tokens = (asked.extractor(NESTED, windows=windows)(texts) for windows in ("characters", "tokens"))
    assert by_characters == by_tokens


def test_the_package_alone_serves_a_folder(asked: Asked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Someone with the output folder and a copy of this one package needs no other of ours."""
    import importlib
    import json
    import shutil

    from transformers import AutoTokenizer
    from transformers.dynamic_module_utils import get_class_from_dynamic_module

    import extraction

    # What AutoModel loads with trust_remote_code where ernie_m is not installed.
    named = json.loads((asked.output / "config.json").read_text("utf-8"))["auto_map"]["AutoModel"]
    model = get_class_from_dynamic_module(named, str(asked.output)).from_pretrained(str(asked.output))
    assert type(model).__module__.startswith("transformers_modules.")
    tokenizer = AutoTokenizer.from_pretrained(str(asked.output), trust_remote_code=True)
    shutil.copytree(Path(extraction.__file__).parent, tmp_path / "extraction_alone")
    monkeypatch.syspath_prepend(tmp_path)
    alone = importlib.import_module("extraction_alone")
    found = alone.InformationExtractor(model, tokenizer, NESTED)(TEXTS[:3])
    assert Path(sys.modules["extraction_alone.windows"].__file__ or "").is_relative_to(tmp_path)
    for name in [name for name in sys.modules if name.split(".")[0] == "extraction_alone"]:
        del sys.modules[name]
    assert found == asked.extractor_class.from_pretrained(asked.output, NESTED)(TEXTS[:3])
    assert any(found)


def test_what_cannot_be_meant_is_refused(asked: Asked) -> None:
    for options, words in (
        ({"schema_lang": "de"}, "schema_lang is 'de'"),
        ({"windows": "words"}, "windows is 'words'"),
        ({"position_prob": 1.0}, "position_prob"),
        ({"max_seq_len": 513}, "max_seq_len is 513, expected [45] to 512"),
        ({"max_seq_len": 3}, "max_seq_len is 3, expected [45] to 512"),
        ({"batch_size": 0}, "batch_size"),
        ({"overlap": -1}, "overlap"),
    ):
        with pytest.raises(ValueError, match=words):
            asked.extractor("a", **options)
    with pytest.raises(TypeError, match="found int: 3"):
        asked.extractor("a")(["b", 3])
    with pytest.raises(ValueError, match="no text fits beside it in max_seq_len=20"):
        asked.extractor("时间" * 10, max_seq_len=20)("b")
