"""Changes to a model: other embeddings are put in, and it is saved and loaded again."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any
from unittest import mock

from verify.modes.default_load import second_names
from verify.modes.mode_runner import ModeRunner
from verify.results.numbers import ModeResult

#: Models up to this size are written to a temporary folder and loaded again; of larger ones, what would be written is
#: compared in memory with what was loaded.
MOST_BYTES = 64 << 20
#: Rows of the small embedding that is put in, and after resizing.
ROWS, RESIZED = 6, 9


def other_embeddings(runner: ModeRunner, result: ModeResult) -> None:
    """set_input_embeddings and resize_token_embeddings: a small table in the place of the large one, then put back. The
    reference is the table's own vectors, handed over as inputs_embeds."""
    import torch

    model, config = runner.loaded.model, runner.loaded.model.config
    if model.get_output_embeddings() is not None:
        result.skipped = "the table of words is its decoder, which would be cut too"
        return
    old, vocabulary = model.get_input_embeddings(), config.vocab_size
    rows = old.weight.detach()[torch.arange(ROWS) % old.weight.shape[0]]
    before = rows.flip(0)
    small = torch.nn.Embedding.from_pretrained(before.clone(), freeze=False)  # type: ignore[no-untyped-call]
    grouped = runner.is_grouped
    # [PAD] and [CLS] stay out, so that no rule about ids comes in: both calls have a mask of ones.
    ids = torch.tensor([[ROWS - 1, 3, 2, 4]])
    ids = ids[:, None] if grouped else ids
    mask = torch.ones_like(ids)
    try:
        model.set_input_embeddings(small)
        result.compared += 1
        if model.get_input_embeddings() is not small:
            result.fail("get_input_embeddings gives another table than set_input_embeddings was given")
            return
        expected = runner.call({"inputs_embeds": small(ids).detach(), "attention_mask": mask})
        given = runner.call({"input_ids": ids, "attention_mask": mask})
        runner.compare_own(result, given, expected, "after set_input_embeddings")
        model.resize_token_embeddings(RESIZED, mean_resizing=False)
        result.compared += 1
        found = model.get_input_embeddings().weight
        if found.shape[0] != RESIZED or config.vocab_size != RESIZED or not torch.equal(found[:ROWS], before):
            left = f"{found.shape[0]} rows, vocab_size {config.vocab_size}, or other numbers in the first {ROWS}"
            result.fail(f"resize_token_embeddings({RESIZED}) leaves {left}")
        given = runner.call({"input_ids": ids, "attention_mask": mask})
        runner.compare_own(result, given, expected, "after resize_token_embeddings")
    finally:
        model.set_input_embeddings(old)
        config.vocab_size = vocabulary


def save_and_reload(runner: ModeRunner, result: ModeResult) -> None:
    """save_pretrained writes every tensor, and what it wrote is the same model."""
    model = runner.loaded.model
    size = sum(tensor.numel() * tensor.element_size() for tensor in model.state_dict().values())
    with tempfile.TemporaryDirectory(prefix="paddle2torch-") as folder:
        if size <= MOST_BYTES:
            model.save_pretrained(folder)
            _compare_saved(model, _read_saved(Path(folder)), result)
            if not result.differ:
                _reload(runner, result, folder)
            return
        written: dict[str, Any] = {}
        keep = lambda tensors, *_, **__: written.update(tensors)  # noqa: E731
        with mock.patch("transformers.modeling_utils.safe_save_file", keep):
            model.save_pretrained(folder, max_shard_size=2 * size)
        _compare_saved(model, written, result)


def _read_saved(folder: Path) -> dict[str, Any]:
    from safetensors.torch import load_file

    return {name: tensor for path in sorted(folder.glob("*.safetensors")) for name, tensor in load_file(path).items()}


def _compare_saved(model: Any, saved: dict[str, Any], result: ModeResult) -> None:
    import torch

    expected = model.state_dict()
    tied = second_names(expected, saved)
    expected = {name: tensor for name, tensor in expected.items() if name not in tied}
    result.compared += len(expected)
    for name in sorted({*expected} ^ {*saved}):
        result.fail(f"save_pretrained {'leaves out' if name in expected else 'adds'} {name}")
    for name in sorted({*expected} & {*saved}):
        same = expected[name].dtype == saved[name].dtype and torch.equal(expected[name], saved[name])
        if not same:
            result.fail(f"save_pretrained writes another {name}")


def _reload(runner: ModeRunner, result: ModeResult, folder: str) -> None:
    """Load what was saved as a user does, and compare one call."""
    import torch

    loader, attention = runner.loaded.loader, runner.loaded.attentions[-1]
    options = {"local_files_only": True, "attn_implementation": attention, **loader.options}
    model = loader.auto_class.from_pretrained(folder, dtype=torch.float32, **options).eval()
    result.compared += 1
    if type(model).__name__ != type(runner.loaded.model).__name__:
        result.fail(f"what was saved loads as {type(model).__name__}")
        return
    case = runner.small_case("input_ids", length=8)
    if case is None:
        return
    inputs = runner.inputs(case)
    expected, own = runner.call(inputs), runner.loaded.model
    runner.loaded.model = model
    try:
        given = runner.call(inputs)
    finally:
        runner.loaded.model = own
    runner.compare_own(result, given, expected, f"saved and loaded, case {case.name}")
