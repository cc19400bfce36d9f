"""What the process that runs OUTPUT is asked, and what it answers."""

from __future__ import annotations

import json
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from converter.common.errors import DataError, Problem, ReferenceFailure
from verify.reference.subprocess_runner import Ended


@dataclass(frozen=True)
class Asked:
    """A request to a process about OUTPUT. `folder` is the process's own."""

    action: str
    output: Path
    family: str
    folder: Path

    def write(self, **more: Any) -> Path:
        """The file of the request."""
        path = self.folder / f"{self.action}.json"
        asked = {"action": self.action, "output": str(self.output.absolute()), "family": self.family, **more}
        path.write_text(json.dumps({**asked, "result": str(self._result)}), encoding="utf-8")
        return path

    def answer(self, ended: Ended) -> dict[str, Any]:
        """What a process that ended so has answered. Raises DataError with its problems, ReferenceFailure without
        any."""
        if ended.status == -signal.SIGKILL:
            reason = "the process that runs OUTPUT was killed. Was there too little memory?"
            raise ReferenceFailure(Problem("E607", reason))
        if not self._result.is_file():
            raise ReferenceFailure(Problem("E607", f"the process that runs OUTPUT failed: {ended.reason()}"))
        found: dict[str, Any] = json.loads(self._result.read_text(encoding="utf-8"))
        if "problems" in found:
            raise DataError(*(Problem(code, text) for code, text in found["problems"]))
        return found

    @property
    def _result(self) -> Path:
        return self.folder / f"{self.action}_result.json"
