"""The Hub's API on loopback, as far as an upload needs it: what was made, and what was committed."""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Hub:
    """What the stub was told.

    Attributes:
        created: bodies of requests to make a repository.
        files: content by path, of all commits.
        tokens: the authorisation of each request.
        refuses: an HTTP status with which a repository is refused, or ``None``.
    """

    def __init__(self) -> None:
        self.created: list[dict[str, Any]] = []
        self.files: dict[str, bytes] = {}
        self.tokens: set[str] = set()
        self.refuses: int | None = None
        self.blobs: dict[str, bytes] = {}
        self.address = ""


@contextmanager
def hub() -> Iterator[Hub]:
    """Serve a stub of the Hub."""
    state = Hub()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

        def _say(self, body: Any, status: int = 200) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def _body(self) -> bytes:
            return self.rfile.read(int(self.headers.get("content-length") or 0))

        def do_GET(self) -> None:
            self._say({"error": "not here"}, 404)

        def do_PUT(self) -> None:
            state.blobs[self.path.rpartition("/")[2]] = self._body()
            self._say({})

        def do_POST(self) -> None:
            body = self._body()
            state.tokens.add(self.headers.get("authorization", ""))
            if self.path.endswith("/repos/create"):
                asked = json.loads(body)
                if state.refuses is not None:
                    self._say({"error": "You don't have the rights"}, state.refuses)
                    return
                state.created.append(asked)
                kind = "datasets/" if asked.get("type") == "dataset" else ""
                owner = asked.get("organization") or "me"
                self._say({"url": f"{state.address}/{kind}{owner}/{asked['name']}"})
            elif self.path.endswith("/validate-yaml"):
                self._say({"errors": [], "warnings": []})
            elif "/preupload/" in self.path:
                files = json.loads(body)["files"]
                mode = {True: "lfs", False: "regular"}
                self._say(
                    {
                        "files": [
                            {
                                "path": one["path"],
                                "uploadMode": mode[one["path"].endswith(".safetensors")],
                                "shouldIgnore": False,
                            }
                            for one in files
                        ]
                    }
                )
            elif self.path.endswith("/info/lfs/objects/batch"):
                objects = json.loads(body)["objects"]
                told = [
                    {
                        "oid": one["oid"],
                        "size": one["size"],
                        "actions": {"upload": {"href": f"{state.address}/blob/{one['oid']}"}},
                    }
                    for one in objects
                ]
                self._say({"transfer": "basic", "objects": told})
            elif "/commit/" in self.path:
                for line in body.decode().splitlines():
                    one = json.loads(line)
                    value = one["value"]
                    if one["key"] == "file":
                        state.files[value["path"]] = base64.b64decode(value["content"])
                    elif one["key"] == "lfsFile":
                        state.files[value["path"]] = state.blobs[value["oid"]]
                repo = re.sub(r"^/api/(models/)?|/commit/.*$", "", self.path)
                self._say(
                    {"commitUrl": f"{state.address}/{repo}/commit/1", "commitOid": "1", "success": True}
                )
            else:
                self._say({"error": self.path}, 404)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
