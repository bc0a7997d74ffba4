"""What we hand to TRL, LLaMA-Factory and Axolotl is learnt there as our manifest says, token by token."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from benchmarks.environments import PEERS, CannotBuildError, build
from polypinch.files import read_json
from polypinch.models import find_model

_SCRIPTS = Path(__file__).parent / "peers_trainers"
_AXOLOTL = "axolotl==0.19.0"


@dataclass(frozen=True)
class Trainer:
    """Its script, its environment, and what is installed there alone, without what it asks for."""

    script: str
    requirements: tuple[str, ...]
    alone: tuple[str, ...] = ()


TRAINERS = {
    "trl": Trainer("trl_sft.py", PEERS["trl"]),
    "llamafactory": Trainer("llamafactory_sft.py", PEERS["llamafactory"]),
    "axolotl": Trainer("axolotl_rows.py", (*PEERS["transformers"], "addict", "colorama"), (_AXOLOTL,)),
}


def run(
    model: str = "gemma-3-270m", pool: str = "pinch12", languages: str = "es,fi,hi,zh", trainers: str = ""
) -> dict[str, Any]:
    """Write a mixture's export, let each trainer read it, and compare what is learnt, by language.

    Args:
        model: whom it is for
        pool: where the rows are from; its base is English
        languages: of the pinch
        trainers: those of trl, llamafactory and axolotl (all)
    """
    chosen = [name.strip() for name in trainers.split(",") if name.strip()] or list(TRAINERS)
    with tempfile.TemporaryDirectory() as work:
        mixture = Path(work) / "mixture"
        doses = [{"languages": languages.split(","), "count_each": 4}]
        plan = {"pool": pool, "base": "en", "budget": {"examples": 40}, "doses": doses, "seed": 1}
        (Path(work) / "plan.yaml").write_text(yaml.safe_dump(plan))
        mix = [sys.executable, "-m", "polypinch.cli", "mix", f"{work}/plan.yaml", "--out", str(mixture)]
        subprocess.run([*mix, "--model", model], check=True, stdout=subprocess.DEVNULL)
        manifest = read_json(mixture / "manifest.json")
        ours = {
            line["language"]: {"tokens": line["tokens"], "learnt": line["supervised_tokens"]}
            for line in manifest["languages"]
        }
        folder = str(find_model(model).path)
        found = {name: _learnt(name, mixture / "export", folder, Path(work)) for name in chosen}
    return {
        "benchmark": "trainers",
        "model": model,
        "rows": 40,
        "ours": ours,
        "trainers": found,
    }


def _learnt(name: str, export: Path, model: str, work: Path) -> dict[str, Any]:
    trainer = TRAINERS[name]
    try:
        python = build(f"trainers-{name}" if trainer.alone else name, trainer.requirements, trainer.alone)
    except CannotBuildError as error:
        return {"error": str(error)}
    result = work / f"{name}.json"
    command = [str(python), str(_SCRIPTS / trainer.script), str(export), model, str(result)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=_SCRIPTS)
    if done.returncode:
        return {"error": " / ".join(done.stderr.strip().splitlines()[-3:])}
    said: dict[str, Any] = json.loads(result.read_text())
    return said


def rows(result: dict[str, Any]) -> list[tuple[str, ...]]:
    lines = []
    for name, found in result["trainers"].items():
        said = found.get("error") or _told(found, result["ours"])
        lines.append(("trainers", name, said, "as the manifest"))
    return lines


def _told(found: dict[str, Any], ours: dict[str, dict[str, int]]) -> str:
    more = {tag: found["learnt"].get(tag, 0) - counts["learnt"] for tag, counts in ours.items()}
    told = "as the manifest in each language" if not any(more.values()) else f"more than the manifest: {more}"
    work = f"{found['steps']} steps" if found["steps"] else "tokenised"
    return f"{sum(found['learnt'].values()):,} tokens learnt of {found['rows']} rows, {work}: {told}"
