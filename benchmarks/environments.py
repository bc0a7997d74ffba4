"""A virtual environment for each peer, built once in ``$POLYPINCH_BENCH`` or ``~/.cache/polypinch/bench``."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

# What the peers share with us is of our own version, so that a difference is the peer's.
_SHARED = ("transformers", "peft", "accelerate", "datasets")
_HUGGING_FACE = tuple(f"{name}=={version(name)}" for name in _SHARED)
PEERS: dict[str, tuple[str, ...]] = {
    "trl": ("trl==1.16.0", *_HUGGING_FACE),
    "transformers": _HUGGING_FACE,
    "llamafactory": ("llamafactory==0.9.5",),
}


class CannotBuildError(Exception):
    """A peer cannot be installed here; the message says what pip said."""


def cache() -> Path:
    """Return the folder for environments, pools and results that outlive a run."""
    return Path(os.environ.get("POLYPINCH_BENCH") or Path.home() / ".cache" / "polypinch" / "bench")


def build(name: str, requirements: Sequence[str] | None = None, alone: Sequence[str] = ()) -> Path:
    """Return the Python of a peer's environment, building it when it is not there or asks for other versions.

    torch goes in first and alone, in the very version and build (CPU or CUDA) that runs us, and stays pinned
    to it: named in a larger resolution, pip would choose another.

    Args:
        name: the environment's.
        requirements: what to install, pinned; by default those of :data:`PEERS`.
        alone: what to install, pinned, without what it asks for.

    Raises:
        CannotBuildError: pip fails.
    """
    needed = list(PEERS[name] if requirements is None else requirements)
    wanted = [*needed, *alone]
    torch = f"torch=={version('torch')}"
    folder = cache() / "environments" / name
    python, done = folder / "bin" / "python", folder / "done.json"
    if done.is_file() and json.loads(done.read_text())["requirements"] == [torch, *wanted]:
        return python
    print(f"building the environment of {name} in {folder} …", file=sys.stderr, flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    _run(sys.executable, "-m", "venv", str(folder))
    constraints = folder / "constraints.txt"
    constraints.write_text(torch + "\n")
    _run(str(python), "-m", "pip", "install", "--quiet", torch)
    _run(str(python), "-m", "pip", "install", "--quiet", "--constraint", str(constraints), *needed)
    if alone:
        _run(str(python), "-m", "pip", "install", "--quiet", "--no-deps", *alone)
    notes = _mend(python)
    done.write_text(json.dumps({"requirements": [torch, *wanted], "notes": notes}, indent=1))
    return python


def notes(name: str) -> list[str]:
    """Return what had to be done to an environment beyond installing it."""
    found: list[str] = json.loads((cache() / "environments" / name / "done.json").read_text())["notes"]
    return found


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        raise CannotBuildError(f"{' '.join(command[1:])}: {' / '.join(lines[-3:])}")


def _mend(python: Path) -> list[str]:
    """Take out torchvision and torchaudio where they do not load beside this torch.

    PyPI has them as CUDA builds only; beside a CPU torch their import fails and takes transformers' with it.
    LLaMA-Factory imports torchaudio even for text; an empty module of that name lets it start.
    """
    notes = []
    for module in ("torchvision", "torchaudio"):
        code = f"import importlib.util as u, sys; sys.exit(2 if u.find_spec('{module}') is None else 0)"
        if subprocess.run([python, "-c", code], check=False).returncode:
            continue
        if not subprocess.run(
            [python, "-c", f"import {module}"], capture_output=True, check=False
        ).returncode:
            continue
        _run(str(python), "-m", "pip", "uninstall", "--quiet", "--yes", module)
        notes.append(f"{module} does not load beside this torch and was taken out")
        if module == "torchaudio":
            place = subprocess.run(
                [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
                capture_output=True,
                text=True,
                check=True,
            ).stdout.strip()
            (Path(place) / "torchaudio.py").write_text('"""Empty: only tuning on sound would need it."""\n')
            notes[-1] += ", an empty module put in its place"
    return notes
