from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_command_with_what_goes_on(number: signal.Signals) -> None:
    code = (
        # Behind nohup it is ignored.
        "import os, signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from importlib import import_module; app = import_module('polypinch.cli.app')\n"
        "app.app = lambda: (os.kill(os.getpid(), int(os.environ['SIGNAL'])), sys.exit(0))\n"
        "from typer import Typer; inner = Typer(); stop = app.app\n"
        "@inner.command()\n"
        "def run(study: str) -> None: stop()\n"
        "app.app = inner; app.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "my study.yaml"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "SIGNAL": str(int(number))},
    )
    assert done.returncode == 130
    assert "to go on: polypinch 'my study.yaml'" in done.stderr
