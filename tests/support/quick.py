"""Which tests are quick (`make test-quick`), and which run first on which worker.

A pytest plugin, which tests/conftest.py takes in. Markers are set by what a test uses:

    live      it starts the reference interpreter itself (live_paddle_python)
    paddle    it needs the reference environment
    network   it opens sockets, if only to a server on 127.0.0.1
    slow      it starts processes with torch, or lies in a folder or file of SLOW

`--quick` deselects all four, and makes a test that asks for Paddle or opens a socket all the same fail.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

MARKERS = {
    "live": "starts the reference interpreter itself",
    "paddle": "needs the reference environment",
    "network": "opens sockets",
    "slow": "takes long, or starts processes with torch",
}
PADDLE = {"paddle_python", "live_paddle_python"}
TORCH = {"product_python", "comparing_python", "transformers4_python", "transformers5_python"}
#: Modules whose servers a test file starts.
SERVERS = (
    "tests.support.server",
    "tests.support.local_hub",
    "tests.support.hub_server",
    "tests.support.fetch_fixtures",
)
SLOW = (
    "tests/ecosystem/",
    "tests/end_to_end/",
    "tests/ernie_m/",
    "tests/examples/",
    "tests/transformers4/",
    "tests/documents/test_commands.py",
    "tests/action/",
    "tests/benchmarks/test_programs.py",
    "tests/converter/test_costs.py",
    "tests/converter/test_cut_while_read.py",
    "tests/converter/test_interrupted.py",
    "tests/converter/write/test_foreign_files.py",
    "tests/test_fuzz.py",
)
#: The longest files, longest first: the workers begin with these and have the short ones for the end.
LONGEST = (
    "tests/verify/test_self_test.py",
    "tests/verify/test_code_faults.py",
    "tests/end_to_end/test_commands.py",
    "tests/verify/test_faults.py",
    "tests/verify/ernie/test_relatives.py",
    "tests/extraction/test_taskflow.py",
    "tests/documents/test_commands.py",
    "tests/verify/ernie/test_ernie_sound.py",
    "tests/end_to_end/test_publish.py",
    "tests/end_to_end/test_tokenizer_variants.py",
    "tests/converter/test_costs.py",
    "tests/verify/ernie/test_ernie_faults.py",
    "tests/verify/test_port_sources.py",
    "tests/converter/open/static_graph/test_static_damage.py",
    "tests/verify/test_sound.py",
    "tests/converter/open/test_damage.py",
    "tests/verify/test_hostile_runs.py",
    "tests/verify/modes/test_execution_modes.py",
    "tests/ecosystem/test_export.py",
    "tests/evaluation/test_evaluate.py",
    "tests/ernie_m/test_modeling_training.py",
    "tests/ernie_m/test_tokenization_ids.py",
    "tests/end_to_end/test_wordpiece.py",
    "tests/verify/folder/test_tokenizer_files.py",
    "tests/end_to_end/test_saved_variants.py",
    "tests/ernie_m/test_modeling_files.py",
    "tests/verify/test_published.py",
    "tests/verify/modes/test_default_load.py",
    "tests/verify/recorder/test_recorder_sources.py",
    "tests/verify/ernie/test_ernie_self_test.py",
    "tests/verify/test_silent_sources.py",
    "tests/verify/test_masked_lm.py",
    "tests/ernie_m/objectives/test_learning.py",
    "tests/converter/open/pickle/test_machine.py",
    "tests/test_fuzz.py",
    "tests/converter/test_interrupted.py",
    "tests/converter/publish/test_push_command.py",
    "tests/verify/test_hostile_output.py",
    "tests/verify/modes/test_more_modes.py",
    "tests/converter/publish/test_failures.py",
)
_quick = False
#: What tests that are called quick did.
_wrong: list[str] = []


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--quick", action="store_true", help="only tests without Paddle, sockets and slow processes")


def pytest_configure(config: pytest.Config) -> None:
    global _quick
    for name, meaning in MARKERS.items():
        config.addinivalue_line("markers", f"{name}: {meaning} (set by what a test uses)")
    if config.getoption("--quick") and not _quick:
        _quick = True
        sys.addaudithook(_refuse_sockets)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Files that have no quick test are not imported: many of them import torch and transformers."""
    if not config.getoption("--quick") or not collection_path.is_relative_to(config.rootpath):
        return None
    name = collection_path.relative_to(config.rootpath).as_posix() + "/" * collection_path.is_dir()
    return True if name.startswith(SLOW) else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        for name in marks_of(item):
            item.add_marker(name)
    order = {path: number for number, path in enumerate(LONGEST)}
    items.sort(key=lambda item: order.get(file_of(item), len(order)))
    if config.getoption("--quick"):
        slow = {item for item in items if any(item.get_closest_marker(name) for name in MARKERS)}
        config.hook.pytest_deselected(items=list(slow))
        items[:] = [item for item in items if item not in slow]


def file_of(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]


def marks_of(item: pytest.Item) -> set[str]:
    """The markers of a test, by its fixtures, its file and what its module imports."""
    fixtures, file = set(getattr(item, "fixturenames", ())), file_of(item)
    module = getattr(item, "module", None)
    served = {getattr(value, "__module__", None) for value in vars(module).values()} if module is not None else set()
    found = {
        "live": "live_paddle_python" in fixtures,
        "paddle": bool(fixtures & PADDLE),
        "network": any(str(name).startswith(SERVERS) for name in served) or bool(fixtures & {"hub", "server", "desk"}),
        "slow": bool(fixtures & TORCH) or file.startswith(SLOW),
    }
    return {name for name, holds in found.items() if holds}


def _refuse_sockets(event: str, arguments: tuple[Any, ...]) -> None:
    if event in ("socket.connect", "socket.bind", "socket.getaddrinfo"):
        address = arguments[0 if event == "socket.getaddrinfo" else 1]
        if event == "socket.getaddrinfo" or isinstance(address, tuple):  # A string is a socket in the file system.
            _wrong.append(f"a quick test uses the network: {event} {address!r}")
            pytest.fail(_wrong[-1])


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest) -> None:
    if _quick and fixturedef.argname in PADDLE:
        pytest.fail(f"a quick test asks for Paddle: {fixturedef.argname}")


@pytest.fixture(autouse=True)
def quick_guard() -> Iterator[None]:
    """Fail a quick test whose sockets were refused where nobody saw the refusal: in a thread."""
    yield
    found, _wrong[:] = _wrong[:], []
    if found:
        pytest.fail(found[0])
