"""The OpenAI-compatible server that transformers ships, with a tiny model, and faults to set before it."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from transformers import AutoTokenizer

from benchmarks.judge_stub import Stub
from polypinch.chat.templates import BUILT_IN
from tests.tiny import tiny_model


@contextmanager
def transformers_serve(folder: Path) -> Iterator[tuple[str, str]]:
    """Run it until the block ends; yield its base URL and its model's name."""
    model = tiny_model(folder / "model")
    tokenizer = AutoTokenizer.from_pretrained(model)
    tokenizer.chat_template = BUILT_IN["gemma"]
    tokenizer.save_pretrained(model)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    start = "from transformers.cli.transformers import main; main()"
    options = ["serve", model, "--host", "127.0.0.1", "--port", str(port), "--device", "cpu"]
    with (folder / "log").open("w") as log:
        server = subprocess.Popen([sys.executable, "-c", start, *options], stdout=log, stderr=log)
        try:
            for _ in range(600):
                assert server.poll() is None, (folder / "log").read_text()
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1)
                    break
                except OSError:
                    time.sleep(0.1)
            yield f"http://127.0.0.1:{port}/v1", model
        finally:
            server.terminate()
            server.wait()


class Proxy(Stub):
    """Faults in front of a real server."""

    def __init__(self, upstream: str, **settings: Any) -> None:
        super().__init__(**settings)
        self.upstream = upstream

    def reply(self, prompt: str) -> bytes:
        request = urllib.request.Request(
            f"{self.upstream}/chat/completions",
            json.dumps(self.last).encode(),
            {"content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as response:
            body: bytes = response.read()
        self.counts["good"] += 1
        return body
