"""polypinch judge validate and export, as a user calls them; nobody is asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from polypinch.cli import app
from polypinch.errors import PinchError

TRUTH = np.random.default_rng(0).integers(1, 3, 120).tolist()


def run(*arguments: object) -> str:
    result = CliRunner().invoke(app, ["judge", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture(scope="module")
def labels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """PandaLM's layout: three people who are right nine times in ten."""
    generator = np.random.default_rng(1)
    rows = []
    for index, right in enumerate(TRUTH):
        chosen = [right if generator.random() < 0.9 else 3 - right for _ in range(3)]
        texts = {"instruction": f"Say {index}.", "input": "", "response1": "one", "response2": "other"}
        rows.append(
            {"idx": index, **texts, **{f"annotator{k + 1}": choice for k, choice in enumerate(chosen)}}
        )
    path = tmp_path_factory.mktemp("labels") / "testset.json"
    path.write_text(json.dumps(rows))
    return path


def plain(folder: Path, name: str, choices: list[int]) -> Path:
    path = folder / f"{name}.jsonl"
    winners = {1: "first", 2: "second"}
    rows = [
        {"item_id": str(index), "language": "en", "judge": name, "winner": winners[choice]}
        for index, choice in enumerate(choices)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_people_alone(labels: Path) -> None:
    shown = run("validate", "--labels", labels)
    assert "annotator1 and annotator2" in shown
    assert "no judge was named" in shown
    found = json.loads(run("validate", "--labels", labels, "--json"))
    (people,) = found["people"]
    assert (people["n_pairs"], people["n_labels"], found["judges"]) == (120, 360, [])
    assert 0.5 < people["cohen"]["low"] < people["cohen"]["value"] < people["cohen"]["high"] < 0.9


def test_a_good_judge_may_be_used_and_a_coin_not(labels: Path, tmp_path: Path) -> None:
    coin = np.random.default_rng(2).integers(1, 3, 120).tolist()
    files = [plain(tmp_path, "good", TRUTH), plain(tmp_path, "coin", coin)]
    shown = run("validate", "--labels", labels, *(word for file in files for word in ("--verdicts", file)))
    assert "use: in en, good agrees with people as well as they do with each other" in shown
    assert "coin" in shown
    assert "use: in en, coin" not in shown
    assert "good and coin: Cohen's κ" in shown


def fastchat(folder: Path, judge: str, choices: list[int]) -> Path:
    """Our verdicts as FastChat keeps them, one judge that is always consistent."""
    path = folder / f"{judge}_pair.jsonl"
    rows: list[dict[str, Any]] = []
    for index, choice in enumerate(choices):
        who = f"model_{choice}"
        game = {"model_1": "one", "model_2": "other", "g1_winner": who, "g2_winner": who}
        orders = {
            "arm_first": {"winner": "first" if choice == 1 else "second"},
            "against_first": {"winner": "second" if choice == 1 else "first"},
        }
        kept = {"arm": "one", "against": "other", "item_id": str(index), "language": "en", "judge": judge}
        rows.append({"question_id": index, "judge": [judge], **game, "verdicts": {**kept, "orders": orders}})
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_a_jury_is_one_more_judge(labels: Path, tmp_path: Path) -> None:
    generator = np.random.default_rng(3)
    noisy = [[right if generator.random() < 0.8 else 3 - right for right in TRUTH] for _ in range(3)]
    files = [fastchat(tmp_path, f"j{index}", choices) for index, choices in enumerate(noisy)]
    given = [word for file in files for word in ("--verdicts", file)]
    found = json.loads(run("validate", "--labels", labels, *given, "--jury", "majority", "--json"))
    exact = {one["judge"]: one["exact"]["value"] for one in found["judges"]}
    assert exact["jury:majority(j0+j1+j2)"] > max(exact[f"j{index}"] for index in range(3))
    assert all(one["flip_rate"]["value"] == 0 for one in found["judges"])
    assert len(found["among_judges"]) == 6


def test_a_sample_is_seeded_and_said(labels: Path) -> None:
    first, again, other = (
        json.loads(run("validate", "--labels", labels, "--limit", 40, "--seed", seed, "--json"))
        for seed in (1, 1, 2)
    )
    assert first == again
    assert first["people"][0]["n_pairs"] == 40
    assert first["people"][0]["cohen"]["value"] != other["people"][0]["cohen"]["value"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--jury", "loudest"], "majority or mean"),
        (["--judge", "reference"], "no references"),
        (["--layout", "xml"], "unknown layout"),
        (["--write-measured"], "no judge was asked"),
        (["--judge", "nobody"], "no judge 'nobody'"),
    ],
)
def test_what_cannot_be_is_refused(labels: Path, arguments: list[str], words: str) -> None:
    with pytest.raises(PinchError, match=words):
        run("validate", "--labels", labels, *arguments)


def test_a_jury_needs_verdicts_order_by_order(labels: Path, tmp_path: Path) -> None:
    file = plain(tmp_path, "good", TRUTH)
    with pytest.raises(PinchError, match="only its choices are known"):
        run("validate", "--labels", labels, "--verdicts", file, "--jury", "mean")
    with pytest.raises(PinchError, match="there already"):
        run("validate", "--labels", labels, "--verdicts", file, "--verdicts", file)
