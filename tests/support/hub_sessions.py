"""huggingface_hub keeps its connections; one that was made offline refuses every server from then on."""

from __future__ import annotations

from huggingface_hub.utils import _http


def forget_connections() -> None:
    """Let the next request make its connection anew, in both lines of huggingface_hub (requests, httpx)."""
    forget = getattr(_http, "reset_sessions", None) or _http.close_session
    forget()
