"""A Hugging Face hub on this machine, as far as fetching a model asks for one: it serves folders as repositories."""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

COMMIT = "c" * 40


class FakeHub(ThreadingHTTPServer):
    """`repositories` is name -> folder; every one has the one commit COMMIT, whatever revision is asked for.

    `paths` holds what was asked. With `gate`, no file's content is sent before it is set.
    """

    daemon_threads = True

    def __init__(self, repositories: dict[str, Path]) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.repositories = repositories
        self.paths: list[str] = []
        self.gate: threading.Event | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FakeHub

    def log_message(self, *args: Any) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, body: bool) -> None:
        path = unquote(urlsplit(self.path).path)
        self.server.paths.append(path)
        for name, folder in self.server.repositories.items():
            if path.startswith(f"/api/models/{name}"):
                return self._json(_tree(folder) if "/tree/" in path else _info(name, folder), body)
            found = re.fullmatch(rf"/{re.escape(name)}/resolve/([^/]+)/(.+)", path)
            if found and (folder / found[2]).is_file():
                return self._file(folder / found[2], found[1], body)
        self.send_response(404)
        self.send_header("X-Error-Code", "RepoNotFound")
        self.send_header("Content-Length", "0")
        self.end_headers()
        return None

    def _json(self, value: Any, body: bool) -> None:
        data = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if body:
            self.wfile.write(data)

    def _file(self, path: Path, revision: str, body: bool) -> None:
        data = path.read_bytes()
        self.send_response(200)
        self.send_header("ETag", f'"{_oid(path)}"')
        self.send_header("X-Repo-Commit", revision if len(revision) == 40 else COMMIT)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if not body:
            return
        while self.server.gate is not None and not self.server.gate.is_set():
            time.sleep(0.02)
        with suppress(OSError):  # whoever asked has left
            self.wfile.write(data)


def _oid(path: Path) -> str:
    return hashlib.sha1(path.read_bytes()).hexdigest()


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def _info(name: str, folder: Path) -> dict[str, Any]:
    siblings = [
        {"rfilename": p.relative_to(folder).as_posix(), "size": p.stat().st_size, "blobId": _oid(p)}
        for p in _files(folder)
    ]
    return {"id": name, "modelId": name, "sha": COMMIT, "siblings": siblings, "tags": [],
            "private": False, "downloads": 0, "likes": 0}  # fmt: skip


def _tree(folder: Path) -> list[dict[str, Any]]:
    return [
        {
            "type": "file",
            "path": p.relative_to(folder).as_posix(),
            "size": p.stat().st_size,
            "oid": _oid(p),
        }
        for p in _files(folder)
    ]


@contextmanager
def fake_hub(repositories: dict[str, Path]) -> Iterator[FakeHub]:
    """A running FakeHub; its address goes into HF_ENDPOINT."""
    server = FakeHub(repositories)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        if server.gate is not None:
            server.gate.set()
        server.shutdown()
        server.server_close()
