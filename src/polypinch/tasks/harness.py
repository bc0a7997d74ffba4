"""What lm-evaluation-harness found: its results file, and its samples where it logged them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from polypinch.errors import PinchError
from polypinch.files import parse_json, read_json
from polypinch.languages import language

NAME = "lm-evaluation-harness"
_SCRIPT = re.compile("[A-Z][a-z]{3}")


@dataclass(frozen=True)
class Score:
    """One metric of one of its tasks.

    Attributes:
        task: its name without the language.
        language: the tag.
        metric: its name, and its filter's in brackets if it has one.
        value: the mean, 0 to 1.
        stderr: the harness's own standard error, or ``None``.
        n: items scored, or ``None``.
        samples: values by document, or ``None`` where they were not logged.
    """

    task: str
    language: str
    metric: str
    value: float
    stderr: float | None
    n: int | None
    samples: dict[str, float] | None


def read_results(
    path: Path, evaluated: Sequence[str], named: Mapping[str, str] = {}
) -> tuple[list[Score], list[str]]:
    """Read a results file of lm-evaluation-harness (0.4 and later) and the samples that lie beside it.

    A task's language is the last part of its name that is one of those evaluated: ``xcopa_et``,
    ``belebele_fin_Latn``.

    Args:
        path: ``results_DATE.json``; samples are looked for in ``samples_TASK_DATE.jsonl`` beside it.
        evaluated: the languages that count.
        named: language by task, where the name does not say it.

    Returns:
        Scores, and in words what was left out and why.

    Raises:
        PinchError: it is no such file, or holds nothing in these languages; with the fix.
    """
    data = read_json(path)
    results = data.get("results") if isinstance(data, dict) else None
    if not isinstance(results, dict) or not all(isinstance(one, dict) for one in results.values()):
        raise PinchError(f"{path}: not a results file of {NAME}", fix="give results_….json of --output_path")
    found: list[Score] = []
    left_out = []
    groups = {name for name, members in (data.get("group_subtasks") or {}).items() if members}
    for name, numbers in results.items():
        place = _language(name, evaluated, named)
        if name in groups:
            continue
        if place is None:
            left_out.append(f"{name}: its name says none of {', '.join(evaluated)}")
            continue
        counts = (data.get("n-samples") or {}).get(name) or {}
        better = (data.get("higher_is_better") or {}).get(name) or {}
        lower = {metric for metric, is_higher in better.items() if is_higher is False}
        found += _scores(path, name, place, numbers, counts.get("effective"), lower, left_out)
    if not found:
        raise PinchError(
            f"{path}: nothing to bring in: {'; '.join(left_out) or 'no task in it'}",
            fix="say a task's language with --language TASK=TAG, one that the study evaluates",
        )
    return found, left_out


def _language(name: str, evaluated: Sequence[str], named: Mapping[str, str]) -> tuple[str, str] | None:
    """Return a task's name without its language, and the language."""
    if name in named:
        return name, named[name]
    parts = name.split("_")
    for at in range(len(parts) - 1, -1, -1):
        rest = parts[at + 1 :]
        script = rest.pop(0) if rest and _SCRIPT.fullmatch(rest[0]) else None
        try:
            tag = language(parts[at]).tag
            # hin_Latn is not hin_Deva: only the script that the study's own tag means.
            if script is not None and language(tag).script != script:
                tag = language(f"{tag}-{script}").tag
        except PinchError:
            continue
        if tag in evaluated and len(parts) > 1:
            return "_".join([*parts[:at], *rest]), tag
    return None


def _scores(
    path: Path,
    name: str,
    place: tuple[str, str],
    numbers: dict[str, Any],
    n: int | None,
    lower: set[str],
    left_out: list[str],
) -> list[Score]:
    found = []
    logged = _samples(path, name)
    for key, value in numbers.items():
        metric, _, filtered = key.partition(",")
        if metric.endswith("_stderr") or isinstance(value, bool) or not isinstance(value, int | float):
            continue
        if "," not in key:  # its alias, sample counts and the like
            continue
        said = metric if filtered in ("", "none") else f"{metric} ({filtered})"
        if metric in lower:
            left_out.append(f"{name}: of {said} less is better")
            continue
        if not 0 <= value <= 1:
            left_out.append(f"{name}: {said} is {value:g}, and shares are 0 to 1")
            continue
        error = numbers.get(f"{metric}_stderr,{filtered}")
        stderr = float(error) if isinstance(error, int | float) else None
        samples = logged.get((metric, filtered))
        count = n if n is not None else len(samples) if samples else None
        found.append(Score(*place, said, float(value), stderr, count, samples))
    return found


def _samples(path: Path, name: str) -> dict[tuple[str, str], dict[str, float]]:
    """Return values by document, of each (metric, filter) that is a number in the samples."""
    date = re.fullmatch(r"(?:.*_)?(\d{4}-\d\d-\d\dT.*)", path.stem)
    file = path.with_name(f"samples_{name}_{date[1]}.jsonl") if date else None
    found: dict[tuple[str, str], dict[str, float]] = {}
    if file is None or not file.is_file():
        return found
    for number, line in enumerate(file.read_text(encoding="utf-8").split("\n"), 1):
        if not line.strip():
            continue
        try:
            sample = parse_json(line)
            document, metrics = str(sample["doc_id"]), sample.get("metrics") or []
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise PinchError(
                f"{file}, row {number}: not a sample of {NAME} ({error!r})",
                fix="move the file away to import without samples",
            ) from error
        for metric in metrics:
            value = sample.get(metric)
            if isinstance(value, bool | int | float):
                found.setdefault((metric, sample.get("filter", "none")), {})[document] = float(value)
    return found
