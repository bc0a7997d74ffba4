from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
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
    "command",
    [
        "paper list",
        "pool show pinch12",
        "judge list",
        "run missing.yaml --out x",
        "season missing.jsonl --languages de --out x",
    ],
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


HOUSE = [
    "cli",
    "web",
    "season",
    "publish",
    "experiments",
    "findings",
    "results",
    "paper",
    "study",
    "report",
    "probe",
    "tasks",
    "translate",
    "judge",
    "fidelity",
    "answer",
    "tune",
    "chat",
    "mix",
    "pool",
    "stats",
    "models",
    "languages",
]
"""The rooms, from the top down: a room imports only those after it, and the ground files."""


def _imports(file: Path) -> list[tuple[str, list[str]]]:
    nodes = ast.walk(ast.parse(file.read_text(encoding="utf-8")))
    return [
        (node.module.removeprefix("polypinch."), [name.name for name in node.names])
        for node in nodes
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("polypinch.")
    ]


@pytest.mark.parametrize("room", [name for name in HOUSE if (ROOT / name).is_dir()])
def test_a_room_imports_only_rooms_below_it_and_through_their_faces(room: str) -> None:
    wrong = []
    for file in (ROOT / room).rglob("*.py"):
        for module, names in _imports(file):
            other, _, inside = module.partition(".")
            if other == room or not (ROOT / other).is_dir():
                continue
            where = f"{file.relative_to(ROOT)}: from polypinch.{module} import {', '.join(names)}"
            if HOUSE.index(other) < HOUSE.index(room):
                wrong.append(f"{where} points up")
            if inside and not (ROOT / other / inside / "__init__.py").is_file():
                wrong.append(f"{where} goes past the face")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("file", sorted(ROOT.glob("*.py")), ids=lambda file: file.stem)
def test_ground_files_import_no_room(file: Path) -> None:
    assert not [module for module, _ in _imports(file) if (ROOT / module.partition(".")[0]).is_dir()]


@pytest.mark.parametrize("room", ROOMS)
def test_a_face_has_no_name_that_is_also_a_submodule(room: str) -> None:
    module = import_module(room)
    folder = Path(str(module.__file__)).parent
    assert not [
        name for name in module.__all__ if (folder / f"{name}.py").exists() or (folder / name).is_dir()
    ]


MOST_UNTYPED = 84
"""Functions that may return rows or settings as dicts of anything; lower it whenever one goes."""

MOST_LOOKED_UP = 23
"""Cells that may be looked up by a column's name where a study's results are read and shown."""

MOST_PARAMETERS = 8
TOO_MANY_PARAMETERS = {
    "answer/past.py: past_attention",
    "judge/people/drawing.py: make_job",
    "models/attention.py: segment_attention",
    "stats/dose.py: smallest_dose_within",
    "stats/ladder.py: dose_ladder",
    "stats/stopping.py: search",
    "tune/trainer.py: tune",
    "cli/exporting.py: export_model_command",
    "cli/probing.py: probe_command",
    "cli/rating.py: make_command",
    "cli/season.py: season_command",
    "cli/translating.py: translate_command",
}
"""Functions with more parameters than a reader keeps in mind; take out whatever is folded."""


def _functions() -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for file in sorted(ROOT.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{file.relative_to(ROOT).as_posix()}: {node.name}", node


def test_few_functions_return_dicts_of_anything() -> None:
    untyped = [
        where
        for where, node in _functions()
        if node.returns is not None and "dict[str, Any]" in ast.unparse(node.returns)
    ]
    assert len(untyped) <= MOST_UNTYPED, "return a dataclass:\n" + "\n".join(untyped)


def test_cells_of_results_are_read_as_fields() -> None:
    rooms = ("study", "findings", "results", "report", "publish", "experiments")
    files = [file for room in rooms for file in (ROOT / room).rglob("*.py")]
    looked_up = sum(file.read_text(encoding="utf-8").count('row["') for file in files)
    assert looked_up <= MOST_LOOKED_UP


def test_no_more_functions_take_many_parameters() -> None:
    many = set()
    for where, node in _functions():
        taken = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        if len([one for one in taken if one.arg not in ("self", "cls")]) > MOST_PARAMETERS:
            many.add(where)
    assert many == TOO_MANY_PARAMETERS
