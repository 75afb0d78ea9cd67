"""A small hub of models on this machine: enough of the protocol for its official client.

Repositories are looked up at ``/api/models/NAME/revision/COMMIT``, and files are at
``/NAME/resolve/COMMIT/FILE``. Large ones are redirected to a store, on another host.
"""

from __future__ import annotations

import hashlib
import json
import re
import socket
import struct
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

LARGE = (".safetensors", ".bin", ".pt")
TOKEN = "hf_of_somebody_with_access"


@dataclass
class Request:
    method: str
    path: str
    range: str | None
    token: str | None


@dataclass
class Faults:
    """What goes wrong, by the name of the file, until it is cleared.

    Attributes:
        cut: Only so many bytes of the whole file are sent, then the connection ends.
        status: Answered instead of the file.
        garbled: Arrives with another content of the same size.
        busy: Answers to the next requests, whatever they ask for: a status with headers, or None
            for a connection that is reset.
    """

    cut: dict[str, int] = field(default_factory=dict)
    status: dict[str, int] = field(default_factory=dict)
    garbled: set[str] = field(default_factory=set)
    busy: list[tuple[int, dict[str, str]] | None] = field(default_factory=list)

    def clear(self) -> None:
        for kind in (self.cut, self.status, self.garbled, self.busy):
            kind.clear()


class Hub:
    """Serves repositories at ``url``; use as a context manager."""

    def __init__(self) -> None:
        self.repositories: dict[str, dict[str, Mapping[str, bytes]]] = {}
        self.gated: set[str] = set()
        self.cards: dict[str, dict[str, str]] = {}
        self.faults = Faults()
        self.requests: list[Request] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        # As on the hub, large files are on another host, which must not see the token.
        self.store = f"http://localhost:{self._server.server_port}/store"

    def add(self, repository: str, files: Mapping[str, bytes]) -> str:
        """Adds a commit to a repository, which becomes its ``main``."""
        content = [name.encode() + data for name, data in sorted(files.items())]
        commit = hashlib.sha1(repository.encode() + b"".join(content)).hexdigest()
        commits = self.repositories.setdefault(repository, {})
        commits[commit] = commits["main"] = files
        return commit

    def asked_for(self, name: str, method: str = "GET") -> list[Request]:
        """Requests for the content of a file, in order."""
        asked = [r for r in self.requests if r.method == method]
        return [r for r in asked if re.search(rf"^/store/.*/{re.escape(name)}$", r.path)]

    def __enter__(self) -> Hub:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *exception: Any) -> None:
        self._server.shutdown()
        self._server.server_close()


def _handler(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self._handle()

        def do_GET(self) -> None:
            self._handle()

        def log_message(self, *_: Any) -> None:
            pass

        def _handle(self) -> None:
            path = urlsplit(self.path).path
            token = self.headers.get("Authorization")
            hub.requests.append(Request(self.command, path, self.headers.get("Range"), token))
            if hub.faults.busy:
                self._put_off(hub.faults.busy.pop(0))
            elif match := re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/revision/(\w+))?", path):
                self._describe(match[1], match[2] or "main")
            elif match := re.fullmatch(r"/([^/]+/[^/]+)/resolve/(\w+)/(.+)", path):
                self._resolve(match[1], match[2], match[3])
            elif match := re.fullmatch(r"/store/([^/]+/[^/]+)/(\w+)/(.+)", path):
                self._send_file(match[3], hub.repositories[match[1]][match[2]][match[3]], {})
            elif path.startswith("/portal/"):
                self._send(200, b"<html>Log in to this network</html>", {})
            else:
                self._fail(404, "EntryNotFound")

        def _files(self, repository: str, revision: str) -> Mapping[str, bytes] | None:
            commits = hub.repositories.get(repository)
            if commits is None:
                # So the hub answers whom it does not know, lest private names leak.
                self._fail(404 if self.headers.get("Authorization") else 401, "RepoNotFound")
                return None
            if revision not in commits:
                self._fail(404, "RevisionNotFound")
                return None
            return commits[revision]

        def _describe(self, repository: str, revision: str) -> None:
            files = self._files(repository, revision)
            if files is None:
                return
            commits = hub.repositories[repository]
            sha = next(c for c, f in commits.items() if c != "main" and f is files)
            siblings = [_describe_file(name, data) for name, data in files.items()]
            gated = "manual" if repository in hub.gated else False
            answer = {"id": repository, "sha": sha, "siblings": siblings, "gated": gated}
            if repository in hub.cards:
                answer["cardData"] = hub.cards[repository]
            self._send(200, json.dumps(answer).encode(), {"Content-Type": "application/json"})

        def _resolve(self, repository: str, revision: str, name: str) -> None:
            files = self._files(repository, revision)
            if files is None:
                return
            if repository in hub.gated and self.headers.get("Authorization") != f"Bearer {TOKEN}":
                self._fail(403 if self.headers.get("Authorization") else 401, "GatedRepo")
            elif name in hub.faults.status:
                self._fail(hub.faults.status[name], "")
            elif name not in files:
                self._fail(404, "EntryNotFound")
            elif name.endswith(LARGE):
                data = files[name]
                headers = {
                    "Location": f"{hub.store}/{repository}/{revision}/{name}",
                    "X-Repo-Commit": revision,
                    "X-Linked-Etag": f'"{hashlib.sha256(data).hexdigest()}"',
                    "X-Linked-Size": str(len(data)),
                }
                self._send(302, b"", headers)
            else:
                etag = {"ETag": f'"{_git_object(files[name])}"', "X-Repo-Commit": revision}
                self._send_file(name, files[name], etag)

        def _send_file(self, name: str, data: bytes, headers: dict[str, str]) -> None:
            size, start = len(data), 0
            if match := re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or ""):
                start = int(match[1])
                headers = {**headers, "Content-Range": f"bytes {start}-{size - 1}/{size}"}
            if name in hub.faults.garbled:
                data = data.translate(bytes(range(255, -1, -1)))
            end = hub.faults.cut.get(name, size)
            headers = {**headers, "Accept-Ranges": "bytes"}
            self._send(206 if start else 200, data[start:], headers, max(end - start, 0))

        def _put_off(self, answer: tuple[int, dict[str, str]] | None) -> None:
            if answer is not None:
                self._send(answer[0], b"", answer[1])
                return
            # Closing without lingering resets the connection.
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.close_connection = True

        def _fail(self, status: int, code: str) -> None:
            self._send(status, b"", {"X-Error-Code": code} if code else {})

        def _send(
            self, status: int, body: bytes, headers: Mapping[str, str], sent: int | None = None
        ) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body[:sent])
                self.close_connection |= sent is not None and sent < len(body)

    return Handler


def _describe_file(name: str, data: bytes) -> dict[str, Any]:
    described: dict[str, Any] = {"rfilename": name, "size": len(data), "blobId": _git_object(data)}
    if name.endswith(LARGE):
        sha256 = hashlib.sha256(data).hexdigest()
        described["lfs"] = {"sha256": sha256, "size": len(data), "pointerSize": 134}
    return described


def _git_object(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
