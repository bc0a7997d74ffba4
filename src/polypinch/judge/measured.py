"""What a validation found of a judge, kept in the judge's folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from polypinch.errors import PinchError
from polypinch.files import file_sha256, write_json
from polypinch.judge.folder import MEASURED, Judge, built_in_judges, load_judge
from polypinch.judge.people import is_job, job_identity, open_job


def keep_measured(judge: Judge, name: str, labels: Path, figures: Mapping[str, Mapping[str, Any]]) -> None:
    """Add figures to ``measured.json`` of a judge's folder; the same judge on the same labels is replaced.

    Args:
        judge: as it was asked.
        name: its name in verdicts, with its model.
        labels: the file of labels, or the folder of a job of ratings; named by its content.
        figures: by language.

    Raises:
        PinchError: the judge is a built-in one, whose folder belongs to the package, or the folder changed
            since it was asked.
    """
    if judge.name in built_in_judges() and judge.path == load_judge(judge.name).path:
        raise PinchError(
            f"the judge {judge.name} is built in: its folder belongs to the package",
            fix=f"copy {judge.path} to a folder of your own and name that with --judge",
        )
    now = load_judge(judge.path)
    if now.version != judge.version:
        raise PinchError(f"{judge.path} changed while it was asked", fix="validate it again")
    known = now.measured or {}
    mark = job_identity(open_job(labels)) if is_job(labels) else file_sha256(labels)
    agreement = [
        entry
        for entry in known.get("agreement", [])
        if (entry["judge"], entry["labels_sha256"]) != (name, mark)
    ]
    entry = {
        "judge": name,
        "version": judge.version,
        "labels": labels.name,
        "labels_sha256": mark,
        "languages": figures,
    }
    # NaN is no JSON: what is undefined is null.
    whole = json.loads(json.dumps({**known, "agreement": [*agreement, entry]}), parse_constant=lambda _: None)
    write_json(judge.path / MEASURED, whole)
