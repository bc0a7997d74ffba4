"""A mixture as others shall have it: rows, entries for trainers, card, manifest, nothing of this machine."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from polypinch.errors import PinchError
from polypinch.files import read_json, read_table, write_json, write_text
from polypinch.mix import MANIFEST_FILE, MIXTURE_FILE, MixPlan, Mixture
from polypinch.pool import open_pool
from polypinch.publish.data_card import Origin, mixture_card, origins
from polypinch.specs import validate

CARD, ROWS = "README.md", "train.jsonl"
_TAKEN = (ROWS, "trl.yaml", "axolotl.yaml", "llamafactory.yaml", "dataset_info.json", "chat_template.jinja")


@contextmanager
def staged_mixture(folder: Path) -> Iterator[Path]:
    """Yield a folder with what is to be uploaded of a mixture, or of what a season made.

    Paths in the manifest are cut to their names; a mixture without a card gets one.

    Raises:
        PinchError: the folder lacks its rows.
    """
    held = folder if (folder / ROWS).is_file() else folder / "export"
    if not (held / ROWS).is_file():
        raise PinchError(
            f"{folder} holds no {ROWS}", fix="make it again: polypinch mix PLAN.yaml --out FOLDER"
        )
    with TemporaryDirectory() as name:
        staged = Path(name)
        for taken in _TAKEN:
            if (held / taken).is_file():
                shutil.copyfile(held / taken, staged / taken)
        manifest = read_json(folder / MANIFEST_FILE)
        write_json(staged / MANIFEST_FILE, _without_paths(manifest))
        if (folder / CARD).is_file():
            shutil.copyfile(folder / CARD, staged / CARD)
        else:
            write_text(staged / CARD, _card(folder, manifest))
        yield staged


def _card(folder: Path, manifest: dict[str, Any]) -> str:
    table = read_table(folder / MIXTURE_FILE)
    try:
        plan = validate(manifest["plan"], MixPlan, str(folder / MANIFEST_FILE))
        listed = origins(table, open_pool(plan.pool))
    except (PinchError, KeyError):  # the pool has moved or changed: what the rows themselves say is left
        rows = table.group_by(["language", "source"]).aggregate([([], "count_all")]).to_pylist()
        listed = [
            Origin(row["language"], row["source"], "unknown", "unknown", row["count_all"]) for row in rows
        ]
    about = ["Made with polypinch: exactly declared doses of other languages, requested against delivered."]
    return mixture_card(Mixture(table, manifest), listed, title=folder.resolve().name, about=about, notes=())


def _without_paths(value: Any) -> Any:
    """Return a manifest in which no text is a path of this machine."""
    whole = json.loads(json.dumps(value))

    def shortened(name: str) -> str:
        return " + ".join(Path(part).name for part in name.split(" + "))

    plan = whole.get("plan", {})
    for key in ("pool", "heldout"):
        named = plan.get(key)
        if isinstance(named, str):
            plan[key] = shortened(named)
        elif named:
            plan[key] = [shortened(one) for one in named]
    for pool in (whole.get("pool"), *whole.get("pools", [])):
        if pool:
            pool["name"] = shortened(pool["name"])
    return whole
