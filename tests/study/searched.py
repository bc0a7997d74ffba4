"""A study whose losses are planted: real steps in a real store, and no model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.hostile import study as drawn
from polypinch.files import write_json
from polypinch.pool.table import POOL_SCHEMA
from polypinch.specs import validate
from polypinch.stats import Array
from polypinch.study import Graph, JudgeFacts, Kind, Record, Stage, Store, Study, Tuned
from polypinch.study.artifacts import LOSS, MANIFEST
from polypinch.tune import HELDOUT_LOSS_SCHEMA
from tests.pools import row

DOSES = (0, 5, 10, 20, 40, 80)
ITEMS, LANGUAGES = 64, ("en", "es", "fi")


def planted(means: Sequence[float], seeds: int = 3) -> Array:
    """Return losses, (doses, seeds, items, languages), that fall by ``means``."""
    values: Array = 2 - drawn(
        np.random.default_rng(2), tuple(means), seeds, ITEMS, by_seed=0.001, by_item=0.01, languages=3
    )
    return values


def record(**changes: Any) -> Record:
    """Return an adaptive study with an arm for each dose."""
    arms: list[dict[str, Any]] = [{"name": "english"}]
    arms += [
        {"name": f"pinch-{dose}", "doses": [{"languages": ["es", "fi"], "count": dose}]} for dose in DOSES[1:]
    ]
    spec = {
        "name": "searched",
        "models": ["m"],
        "pool": "pinch12",
        "budget": {"examples": 96},
        "languages": {"seen": ["es", "fi"]},
        "arms": arms,
        "seeds": [1, 2, 3],
        "comparison": {"against": "english"},
        "design": "adaptive",
        "loss_margin": 0.02,
        **changes,
    }
    items = [row(f"i{at}", tag, "heldout") for at in range(ITEMS) for tag in LANGUAGES]
    heldout = pa.Table.from_pylist(items, schema=POOL_SCHEMA)
    return Record(validate(spec, Study, "study"), heldout, (), {"m": "plain"}, JudgeFacts())


def graph(
    what: Record, store: Store, values: Array, trained: Callable[[str, int], None] | None = None
) -> Graph:
    """Return all that the study could take, with planted losses.

    Args:
        what: the study.
        store: where it is made.
        values: as of :func:`planted`.
        trained: is called where a training is done, and may fail.
    """

    def tuned(place: int, arm: str, seed: int) -> Tuned:
        about = {"model": "m", "arm": arm, "seed": seed}

        def stage(kind: Kind, needs: tuple[Stage, ...], work: Callable[[Path], None]) -> Stage:
            return Stage.of(kind, f"{arm}-s{seed}", {"arm": arm, "seed": seed}, needs, work, about)

        def mix(directory: Path) -> None:
            dose = DOSES[place % len(DOSES)]
            counts = [("en", 96 - dose), ("es", dose)]
            lines = [{"language": tag, "examples": count} for tag, count in counts]
            MANIFEST.write(directory, {"rows": 96, "languages": lines})

        def tune(directory: Path) -> None:
            if trained is not None:
                trained(arm, seed)
            write_json(directory / "summary.json", {})

        def loss(directory: Path) -> None:
            at = what.study.seeds.index(seed)
            rows = [
                {"item_id": f"i{item}", "language": tag, "bits_per_byte": float(values[place, at, item, own])}
                for item in range(ITEMS)
                for own, tag in enumerate(LANGUAGES)
            ]
            table = pa.Table.from_pylist(rows)
            for field in HELDOUT_LOSS_SCHEMA:
                if field.name not in table.column_names:
                    table = table.append_column(field, pa.nulls(len(table), field.type))
            LOSS.write(directory, table)

        mixture = stage(Kind.MIXTURE, (), mix)
        checkpoint = stage(Kind.TUNE, (mixture,), tune)
        answers = stage(Kind.ANSWERS, (checkpoint,), lambda directory: write_json(directory / "a.json", {}))
        fidelity = stage(Kind.FIDELITY, (answers,), lambda directory: write_json(directory / "f.json", {}))
        losses = stage(Kind.LOSS, (checkpoint,), loss)
        return Tuned("m", arm, seed, LANGUAGES, mixture, checkpoint, losses, answers, fidelity)

    names = [arm.name for arm in what.study.arms]
    runs = [tuned(at, name, seed) for seed in what.study.seeds for at, name in enumerate(names)]
    return Graph(tuple(runs), ())
