"""A progress bar in a notebook, where no caller asks for another."""

from __future__ import annotations

import sys
from typing import Any, Callable


def open_notebook_bar() -> Callable[[str, int, int], None] | None:
    """Draws a text, and how much of a total is done (0: not counted), as one bar; None outside of notebooks. The bar
    disappears with the function that is returned."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if not hasattr(shell, "kernel"):  # A terminal, or no IPython at all.
        return None
    from tqdm.auto import tqdm

    bar: Any = tqdm(leave=False, bar_format="{desc} {percentage:3.0f}%|{bar}| {elapsed}")

    def draw(text: str, done: int, total: int) -> None:
        bar.total, bar.n = total or None, done
        bar.set_description_str(text, refresh=False)
        bar.refresh()

    return draw
