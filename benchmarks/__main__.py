"""Every benchmark by its name: ``python -m benchmarks NAME [--json] [options]``.

A benchmark is a module of this package with ``run``, whose keywords have defaults and become options, and
which returns one JSON object with every figure and ratio; and ``rows(result)``, the lines of its table.
"""

from __future__ import annotations

import argparse
import inspect
import json
import re
import sys
import time
from importlib import import_module
from types import ModuleType
from typing import Any

NAMES = (
    "tune",
    "attention",
    "answer",
    "adapters",
    "study",
    "mix",
    "growth",
    "limit",
    "judge",
    "judge-faults",
    "interchange",
    "trainers",
    "adaptive",
    "adaptive-study",
    "stats",
    "view",
    "scale",
    "translation-faults",
    "hostile",
    "race",
    "fuzz",
)
# What `all` runs, within 30 minutes on 2 to 4 cores; what it shortens can be run whole by its own name.
ALL: tuple[tuple[str, dict[str, Any]], ...] = (
    (
        "tune",
        {"batch_rows": 8, "stop": 5, "slow_stop": 4, "peers": "trl-default,trl-best,trainer,llamafactory"},
    ),
    ("tune", {"full": True, "batch_rows": 8, "steps": 4, "peers": "trl-best,trainer"}),
    ("limit", {"stop": 8}),
    ("growth", {"sizes": "1000,4000,16000"}),
    ("answer", {"items": 10, "peers": "generate-8,generate-best,vllm-eager"}),
    ("study", {"scripts": 2}),
    ("mix", {"rows": 1_000_000}),
    ("judge", {"calls": 6000, "volume": 20000}),
)
HEADER = ("benchmark", "what", "measured", "to reach")


def main(arguments: list[str] | None = None) -> None:
    """Run one benchmark, or all, and print its table or its JSON."""
    given = sys.argv[1:] if arguments is None else arguments
    names = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Benchmarks against peers at the same work.",
        epilog="NAME --help says what its options are.",
    )
    names.add_argument("name", metavar="NAME", choices=(*NAMES, "all"), help=", ".join((*NAMES, "all")))
    name = names.parse_args(given[:1]).name
    options = vars(_options(name).parse_args(given[1:]))
    as_json = options.pop("json")
    if name == "all":
        shielded = [_shielded(each, chosen) for each, chosen in ALL]
        result: dict[str, Any] = {"benchmark": "all", "results": [found for found, _ in shielded]}
        lines = [line for _, found in shielded for line in found]
    else:
        result = _module(name).run(**options)
        lines = _module(name).rows(result)
    print(json.dumps(result, ensure_ascii=False) if as_json else table(lines))


def _module(name: str) -> ModuleType:
    return import_module(f"benchmarks.{name.replace('-', '_')}")


def _options(name: str) -> argparse.ArgumentParser:
    """Make a parser with an option for each keyword of the benchmark's ``run``, and its docstring's help."""
    module = None if name == "all" else _module(name)
    says = "All benchmarks, shortened to 30 minutes together." if module is None else str(module.__doc__)
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks {name}", description=says.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the table")
    if module is None:
        return parser
    helps = dict(re.findall(r"^ {8}(\w+): (.+)$", module.run.__doc__ or "", re.MULTILINE))
    for option, parameter in inspect.signature(module.run).parameters.items():
        flag, default = f"--{option.replace('_', '-')}", parameter.default
        text = helps.get(option, "").replace("%", "%%")  # argparse takes a % for a placeholder
        if isinstance(default, bool):
            parser.add_argument(flag, action="store_true", help=text)
        else:
            parser.add_argument(
                flag, type=type(default), default=default, help=f"{text} (default: {default!r})"
            )
    return parser


def _shielded(name: str, chosen: dict[str, Any]) -> tuple[dict[str, Any], list[tuple[str, ...]]]:
    """Run one of all: what fails is said in its place, and the others still run."""
    started = time.monotonic()
    print(f"{name} …", file=sys.stderr, flush=True)
    try:
        module = _module(name)
        result = module.run(**chosen)
        lines = list(module.rows(result))
    except Exception as error:
        result = {"benchmark": name, "failed": f"{type(error).__name__}: {error}"}
        lines = [(name, "", f"failed: {result['failed'][:120]}", "")]
    result["minutes"] = round((time.monotonic() - started) / 60, 2)
    return result, lines


def table(lines: list[tuple[str, ...]]) -> str:
    """Return lines as a Markdown table."""
    width = max([len(HEADER), *(len(line) for line in lines)])
    header = (*HEADER, *[""] * (width - len(HEADER)))
    body = [(*line, *[""] * (width - len(line))) for line in lines]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (header, ("---",) * width, *body))


if __name__ == "__main__":
    main()
