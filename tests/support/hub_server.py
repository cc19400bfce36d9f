"""The Hub's endpoints that huggingface_hub asks for a repository, over the test server's sockets."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field

from tests.support.server import Answer, Handler, Server, status, whole

COMMIT = "c0ffee" * 6 + "abcd"
SECOND = "decade" * 6 + "1234"


def git_sum(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


@dataclass
class Repository:
    """Files of one repository; `large` ones have their sha256 as ETag and come from another address, like LFS files."""

    server: Server
    name: str
    files: dict[str, bytes]
    commit: str = COMMIT
    large: tuple[str, ...] = (".pdparams", ".safetensors", ".bin")
    #: Bodies sent in place of the right ones, under the right ETag.
    wrong: dict[str, bytes] = field(default_factory=dict)
    etags: dict[str, str] = field(default_factory=dict)

    def open(self, revision: str = "main") -> Repository:
        """Answer for `revision` and for the commit itself."""
        for named in (revision, self.commit):
            self.server.on(f"/api/models/{self.name}/revision/{named}", self._information())
            for name in self.files:
                self.server.on(f"/{self.name}/resolve/{named}/{name}", self._file(name))
        self.server.on(f"/api/models/{self.name}", self._information())
        return self

    def etag(self, name: str) -> str:
        data = self.files[name]
        told = hashlib.sha256(data).hexdigest() if name.endswith(self.large) else git_sum(data)
        return self.etags.get(name, told)

    def cdn(self, name: str) -> str:
        return f"/cdn/{self.name}/{self.commit}/{name}"

    def _information(self) -> Answer:
        siblings = [{"rfilename": name} for name in self.files]
        data = {"id": self.name, "modelId": self.name, "sha": self.commit, "siblings": siblings, "tags": []}
        data.update(private=False, downloads=0, likes=0, lastModified="2024-01-01T00:00:00.000Z")
        return status(200, json.dumps(data).encode(), Content_Type="application/json")

    def _file(self, name: str) -> Answer:
        body = self.wrong.get(name, self.files[name])
        headers = {"X-Repo-Commit": self.commit, "ETag": f'"{self.etag(name)}"'}
        if not name.endswith(self.large):
            return lambda handler: handler.reply(200, body, headers)
        self.server.on(self.cdn(name), whole(body, '"cdn"'))
        headers.update({"X-Linked-Etag": f'"{self.etag(name)}"', "X-Linked-Size": str(len(self.files[name]))})

        def answer(handler: Handler) -> None:
            handler.reply(
                302,
                b"",
                {
                    **headers,
                    "Location": self.server.url.replace("127.0.0.1", "localhost")
                    + self.cdn(name)
                    + "?Signature=hidden",
                },
            )

        return answer


def refusing(server: Server, name: str, code: int, kind: str | None = None) -> None:
    """A repository that answers every question with a refusal."""
    headers = {"X-Error-Code": kind, "X-Error-Message": "no"} if kind else {}
    for path in (f"/api/models/{name}", f"/api/models/{name}/revision/main"):
        server.on(path, lambda handler: handler.reply(code, b'{"error": "no"}', headers))
