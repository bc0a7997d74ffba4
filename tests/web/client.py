"""A desk served in a child of its own, and raters who use its pages as a browser does."""

from __future__ import annotations

import html
import http.client
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

import uvicorn

from polypinch.judge.people import Job, Ratings, open_job
from polypinch.web import Limiter, listening, serve
from polypinch.web.guard import App
from polypinch.web.rating import desk_app


def serve_desk(job: str, port_file: str, port: int) -> None:
    """Serve a job in this process until it is killed; the port goes into a file."""
    opened, own = open_job(Path(job)), listening("127.0.0.1", port)
    with Ratings(opened.ratings_file) as ratings:
        serve(desk_app(opened, ratings), own, lambda: _write(Path(port_file), own.getsockname()[1]))


def _write(path: Path, port: int) -> None:
    path.with_suffix(".new").write_text(str(port))
    path.with_suffix(".new").rename(path)


@dataclass
class Served:
    """A desk in a child of its own, which may be killed.

    Attributes:
        port: where.
        child: the process.
    """

    port: int
    child: subprocess.Popen[bytes]

    def kill(self) -> None:
        self.child.kill()
        self.child.wait()


def start_desk(job: Path, folder: Path, port: int = 0) -> Served:
    file = folder / "port"
    file.unlink(missing_ok=True)
    code = f"from tests.web.client import serve_desk; serve_desk({str(job)!r}, {str(file)!r}, {port})"
    child = subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parents[2])
    for _ in range(1200):
        if file.exists():
            break
        assert child.poll() is None
        time.sleep(0.02)
    return Served(int(file.read_text()), child)


@contextmanager
def serving(app: App) -> Iterator[int]:
    """Serve an application from a thread of this process; yield its port."""
    config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=1)
    server, own = uvicorn.Server(config), listening("127.0.0.1", 0)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [own]})
    thread.start()
    try:
        yield own.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()
        own.close()


@contextmanager
def desk_of(job: Job, limiter: Limiter | None = None) -> Iterator[int]:
    with Ratings(job.ratings_file) as ratings, serving(desk_app(job, ratings, limiter=limiter)) as port:
        yield port


@dataclass
class Reply:
    status: int
    text: str
    headers: dict[str, str]

    @property
    def fields(self) -> dict[str, str]:
        """The hidden fields of the page's form for a rating."""
        form = re.search(r'<form [^>]*class="rate".*?</form>', self.text, re.S)
        found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form[0] if form else "")
        return {name: html.unescape(value) for name, value in found}

    @property
    def undo(self) -> dict[str, str]:
        form = re.search(r'<form [^>]*class="quiet".*?</form>', self.text, re.S)
        found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form[0] if form else "")
        return {name: html.unescape(value) for name, value in found}

    @property
    def texts(self) -> list[str]:
        """The request and the answers, as a reader sees them."""
        return [
            html.unescape(text) for text in re.findall(r'<div class="text"[^>]*>(.*?)</div>', self.text, re.S)
        ]


@dataclass
class Rater:
    """A rater's browser: it tries again where the server is gone."""

    port: int
    secret: str
    sent: list[str] = field(default_factory=list)
    _link: http.client.HTTPConnection | None = None

    def ask(self, method: str, path: str, form: dict[str, str] | None = None, **headers: str) -> Reply:
        body = None if form is None else urlencode(form)
        more = {"content-type": "application/x-www-form-urlencoded"} if form is not None else {}
        for _ in range(400):
            try:
                if self._link is None:
                    self._link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
                self._link.request(method, path, body, {**more, **headers})
                reply = self._link.getresponse()
                return Reply(
                    reply.status, reply.read().decode(), {k.lower(): v for k, v in reply.getheaders()}
                )
            except (OSError, http.client.HTTPException):
                with suppress(AttributeError):
                    self._link.close()  # type: ignore[union-attr]
                self._link = None
                time.sleep(0.05)
        raise AssertionError("the server did not come back")

    def get(self, path: str = "/next", **headers: str) -> Reply:
        return self.ask("GET", f"/r/{self.secret}{path}", **headers)

    def post(self, path: str, form: dict[str, str], **headers: str) -> Reply:
        return self.ask("POST", f"/r/{self.secret}{path}", form, **headers)

    def rate(self, choice: str, page: Reply | None = None, **more: str) -> Reply:
        page = page or self.get()
        return self.post("/rate", {**page.fields, "choice": choice, **more})
