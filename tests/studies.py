from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml

from tests.pools import parallel_pool

TAGS = ("en", "es", "fi", "ru")


@pytest.fixture(scope="session")
def tiny_study(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A study of seconds: a tiny random model, four languages, three arms, two seeds."""
    from tests.tiny import tiny_model

    folder = tmp_path_factory.mktemp("study")
    pool = folder / "pool.parquet"
    pq.write_table(parallel_pool(TAGS, train=24, heldout=4).select(), pool)
    return {
        "name": "tiny",
        "models": [tiny_model(folder / "model")],
        "pool": str(pool),
        "budget": {"examples": 16},
        "languages": {"seen": ["es", "fi"], "unseen": ["ru"]},
        "arms": [
            {"name": "english"},
            {"name": "pinch-4", "doses": [{"languages": ["es", "fi"], "count": 4}]},
            {"name": "mixed", "doses": [{"languages": ["es", "fi", "ru"], "count_each": 4}]},
        ],
        "seeds": [1, 2],
        "tuning": {
            "epochs": 1,
            "batch_rows": 4,
            "checkpoint_every": 2,
            "precision": "fp32",
            "learning_rate": 5e-3,
        },
        "answering": {"max_new_tokens": 8, "precision": "fp32", "batch_tokens": 400},
        "comparison": {"against": "english"},
    }


def write_study(path: Path, study: dict[str, Any], **changes: Any) -> Path:
    path.write_text(yaml.safe_dump({**study, **changes}, allow_unicode=True))
    return path


def tables(out: Path) -> dict[str, str]:
    """Return a study's tables by name, without that which says when each step was made."""
    paths = sorted((out / "tables").glob("*.csv"))
    return {path.name: path.read_text() for path in paths if path.name != "steps.csv"}
