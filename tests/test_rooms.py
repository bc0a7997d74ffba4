from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import polypinch

ROOT = Path(polypinch.__file__).parent
ROOMS = sorted(
    ".".join(("polypinch", *path.relative_to(ROOT).parts[:-1])) for path in ROOT.rglob("__init__.pyi")
)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_has_every_name_that_it_shows(room: str) -> None:
    module = import_module(room)
    assert module.__all__
    assert all(hasattr(module, name) for name in module.__all__)


@pytest.mark.parametrize(
    "command", ["paper list", "pool show pinch12", "judge list", "run missing.yaml --out x"]
)
def test_a_command_that_needs_no_model_loads_no_torch(command: str, tmp_path: Path) -> None:
    code = (
        "import sys; from polypinch.cli import main\n"
        "try: main()\n"
        "finally: assert 'polypinch.cli' in sys.modules and not {'torch', 'altair'} & set(sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *command.split()],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert "Assertion" not in done.stderr
    assert done.returncode == (2 if "missing" in command else 0), done.stderr
