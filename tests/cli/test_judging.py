from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from benchmarks.judge_stub import Stub, completion, served
from polypinch.cli import app
from polypinch.errors import PinchError
from polypinch.judge import VERDICT_SCHEMA, load_judge, outcomes
from tests.judge.pairs import expected, pair
from tests.pools import parallel_pool

COUNT = 12


def polypinch(*arguments: object) -> str:
    found = CliRunner().invoke(app, [str(one) for one in arguments], catch_exceptions=False)
    assert found.exit_code == 0, found.output
    return found.stdout


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    made = []
    for name, side in (("ours", "arm_text"), ("theirs", "against_text")):
        rows = [pair(index) for index in range(COUNT)]
        lines = [
            {**{key: row[key] for key in ("item_id", "language", "prompt")}, "text": row[side]}
            for row in rows
        ]
        made.append(tmp_path / f"{name}.jsonl")
        made[-1].write_text("\n".join(json.dumps(line) for line in lines))
    return made


@pytest.fixture
def served_stub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[tuple[Stub, str]]:
    monkeypatch.setenv("POLYPINCH_HOME", str(tmp_path / "home"))
    stub = Stub()
    with served(stub) as address:
        yield stub, address


def test_two_files_are_compared_without_a_study(
    files: list[Path], served_stub: tuple[Stub, str], tmp_path: Path
) -> None:
    stub, address = served_stub
    command: list[Any] = [
        "compare",
        *files,
        "--model",
        "m",
        "--base-url",
        address,
        "--out",
        tmp_path / "v.parquet",
    ]
    found = json.loads(polypinch(*command, "--json"))
    verdicts = pq.read_table(tmp_path / "v.parquet")
    assert verdicts.schema.equals(VERDICT_SCHEMA)
    for row in verdicts.to_pylist():
        assert row["winner"] == expected(row, pair(int(row["item_id"][1:])))
    decided = outcomes(verdicts)["outcome"].to_pylist()
    by_tag = {line["language"]: line for line in found["languages"]}
    assert set(by_tag) == {"en", "fi"}
    assert found["all"]["score"]["value"] == pytest.approx(100 * sum(decided) / len(decided))
    chosen = [row for row in verdicts.to_pylist() if row["winner"] != "tie"]
    of_fi: dict[str, list[bool]] = {}
    for row in chosen:
        if row["language"] == "fi":
            of_fi.setdefault(row["item_id"], []).append(row["winner"] == "first")
    each = [sum(pair) / len(pair) for pair in of_fi.values()]
    assert by_tag["fi"]["firsts"]["value"] == pytest.approx(sum(each) / len(each))
    won = {row["item_id"]: row["outcome"] for row in outcomes(verdicts).to_pylist()}
    longer = [
        (won[row["item_id"]] == 1) == (row["arm_length"] > row["against_length"])
        for row in verdicts.to_pylist()
        if row["language"] == "fi"
        and won[row["item_id"]] != 0.5
        and row["arm_length"] != row["against_length"]
    ]
    assert by_tag["fi"]["longer"]["value"] == pytest.approx(sum(longer) / len(longer))
    # The answers of one side are all in Finnish, of the other all in English.
    assert by_tag["fi"]["both_right"]["value"] is None
    assert by_tag["fi"]["wrong_language_losses"]["value"] == 0
    assert 0 < found["all"]["length_controlled"]["value"] < 100
    flips = [row for row in outcomes(verdicts).to_pylist() if row["language"] == "fi"]
    assert by_tag["fi"]["flips"]["value"] == pytest.approx(sum(row["flipped"] for row in flips) / len(flips))
    assert (found["all"]["verdicts"], found["all"]["missing"], found["errors"]) == (2 * COUNT, 0, {})
    assert (found["judge"]["name"], found["judge"]["model"], found["judge"]["orders"]) == (
        "pairwise",
        "m",
        "both",
    )
    assert found["spent"]["calls"] == 2 * COUNT
    table = polypinch(*command)
    assert "the judge pairwise, model m, both orders" in table
    assert "this run: 0 calls" in table
    assert stub.counts["requests"] == 2 * COUNT


def test_it_stops_at_a_limit_with_what_was_spent_and_goes_on(
    files: list[Path], served_stub: tuple[Stub, str], tmp_path: Path
) -> None:
    stub, address = served_stub
    (tmp_path / "prices.yaml").write_text("m: {input: 1.0, output: 4.0}")
    command: list[Any] = ["compare", *files, "--model", "m", "--base-url", address, "--concurrency", "2"]
    estimate = json.loads(polypinch(*command, "--estimate", "--prices", tmp_path / "prices.yaml", "--json"))
    assert (estimate["calls"], stub.counts["requests"]) == (2 * COUNT, 0)
    with pytest.raises(PinchError, match=r"stopped at 5 calls: 5 calls, .* \$0.00\d+; 19 calls are left"):
        polypinch(*command, "--prices", tmp_path / "prices.yaml", "--max-calls", "5")
    with pytest.raises(PinchError, match="which the next call might cross"):
        polypinch(*command, "--prices", tmp_path / "prices.yaml", "--max-cost", estimate["cost"] / 15)
    stub.script.extend(["400"] * 4)
    assert "no verdict ×" in polypinch(*command)
    polypinch(*command, "--retry-failed")
    assert "no verdict" not in polypinch(*command)


def test_adaptive_judging_stops_in_languages_that_are_settled_and_goes_on_after_a_limit(
    files: list[Path], served_stub: tuple[Stub, str], tmp_path: Path
) -> None:
    stub, address = served_stub
    stub.content = '{"reason": "it is first", "winner": "first"}'  # a tie by its order, always
    for index, path in enumerate(files):
        rows = [
            {"item_id": f"i{i}", "language": tag, "prompt": "?", "text": f"{index} {i} {tag}"}
            for tag in ("en", "fi")
            for i in range(60)
        ]
        path.write_text("\n".join(json.dumps(row) for row in rows))
    command: list[Any] = ["compare", *files, "--model", "m", "--base-url", address, "--adaptive"]
    command += ["--half-width", "0.2", "--concurrency", "4"]
    with pytest.raises(PinchError, match=r"stopped at 10 calls.* at most 2\d\d calls are left"):
        polypinch(*command, "--max-calls", "10")
    found = json.loads(polypinch(*command, "--json"))
    asked = stub.counts["requests"]
    assert asked < 2 * 120
    assert found["adaptive"] == {"error": 0.05, "half_width": 0.2, "saved": 2 * 120 - asked}
    for line in found["languages"]:
        assert line["decided"] == "narrow"
        assert line["score"]["value"] == 50
        assert line["score"]["high"] - line["score"]["low"] < 40
        assert (line["missing"], line["verdicts"]) == (0, 2 * (60 - line["not_asked"]))
    assert found["all"]["not_asked"] == sum(line["not_asked"] for line in found["languages"])
    table = polypinch(*command)
    assert f"{found['adaptive']['saved']} calls not made" in table
    assert "this run: 0 calls" in table
    fresh = json.loads(polypinch(*command, "--json", "--store", tmp_path / "fresh.sqlite"))
    assert fresh["languages"] == found["languages"]
    assert stub.counts["requests"] == 2 * asked
    with pytest.raises(PinchError, match="asks nobody"):
        polypinch("compare", *files, "--judge", "reference", "--adaptive")


def test_prompts_and_references_come_from_the_pool(tmp_path: Path, served_stub: tuple[Stub, str]) -> None:
    _, address = served_stub
    pool = tmp_path / "pool.parquet"
    pq.write_table(parallel_pool(("en", "fi"), train=2, heldout=3).select(), pool)
    rows = pq.read_table(pool).to_pylist()
    for name, text in (("a", "Yes. {}"), ("b", "No. {}")):
        lines = [
            {"item_id": row["item_id"], "language": row["language"], "text": text.format(index)}
            for index, row in enumerate(rows)
        ]
        (tmp_path / f"{name}.jsonl").write_text(
            "\n".join(json.dumps(line) for line in lines[: -1 if name == "b" else None])
        )
    files = [tmp_path / "a.jsonl", tmp_path / "b.jsonl"]
    found = json.loads(
        polypinch("compare", *files, "--prompts", pool, "--model", "m", "--base-url", address, "--json")
    )
    assert found["all"]["missing"] == 2
    assert found["errors"] == {"an answer is missing": 2}
    said = polypinch("compare", *files, "--prompts", pool, "--judge", "reference")
    assert "no LLM judge" in said
    with pytest.raises(PinchError, match="has no prompt in the answer files"):
        polypinch("compare", *files, "--model", "m", "--base-url", address)


def test_files_of_alpaca_eval_and_fastchat_are_compared_with_our_own(
    files: list[Path], served_stub: tuple[Stub, str], tmp_path: Path
) -> None:
    _, address = served_stub
    command: list[Any] = ["--model", "m", "--base-url", address, "--json"]
    own = json.loads(polypinch("compare", *files, *command))
    rows = [json.loads(line) for line in files[0].read_text().splitlines()]
    outputs, answered = tmp_path / "model_outputs.json", tmp_path / "m.jsonl"
    alpaca = [
        {"instruction": row["prompt"], "output": row["text"], "generator": "m"}
        | {name: row[name] for name in ("item_id", "language")}
        for row in rows
    ]
    outputs.write_text(json.dumps(alpaca))
    fastchat = [
        {"question_id": row["item_id"], "language": row["language"], "model_id": "m"}
        | {"choices": [{"index": 0, "turns": [row["text"], "second turn"]}]}
        for row in rows
    ]
    answered.write_text("\n".join(json.dumps(row) for row in fastchat))
    for path in (outputs, answered):
        found = json.loads(polypinch("compare", path, files[1], *command))
        assert found["languages"] == own["languages"]
        assert found["spent"]["calls"] == 0
    with pytest.raises(PinchError, match="has no prompt in the answer files"):
        polypinch("compare", answered, answered, *command)
    bare = [{name: row[name] for name in ("instruction", "output", "generator")} for row in alpaca]
    outputs.write_text(json.dumps(bare))
    with pytest.raises(PinchError, match=r"row 1: no language"):
        polypinch("compare", outputs, outputs, *command)
    found = json.loads(polypinch("compare", outputs, outputs, "--language", "fi", *command))
    assert (found["all"]["score"]["value"], found["spent"]["calls"]) == (50, 0)


def test_files_that_cannot_be_compared_are_refused(files: list[Path], tmp_path: Path) -> None:
    with pytest.raises(PinchError, match="needs a model to ask"):
        polypinch("compare", *files)
    with pytest.raises(PinchError, match="12 of 12 pairs have none"):
        polypinch("compare", *files, "--judge", "reference")
    (tmp_path / "other.jsonl").write_text('{"item_id": "x", "language": "en", "text": "t", "prompt": "p"}')
    with pytest.raises(PinchError, match="share no item"):
        polypinch("compare", files[0], tmp_path / "other.jsonl", "--judge", "reference")
    (tmp_path / "twice.jsonl").write_text(files[0].read_text() + "\n" + files[0].read_text())
    with pytest.raises(PinchError, match="item 'i0' in 'en' stands twice"):
        polypinch("compare", tmp_path / "twice.jsonl", files[1])


def test_judges_are_listed_and_shown(tmp_path: Path) -> None:
    names = [judge["name"] for judge in json.loads(polypinch("judge", "list", "--json"))]
    assert names == ["grade", "pairwise", "pairwise-token", "reference"]
    shown = polypinch("judge", "show", "pairwise")
    assert "You compare two answers" in shown
    assert '"winner"' in shown
    assert "not validated against people yet" in shown
    own = Path(shutil.copytree(load_judge("grade").path, tmp_path / "mine"))
    (own / "measured.json").write_text('{"fi": {"agreement": 0.5}}')
    assert "agreement: 0.5" in polypinch("judge", "show", own)
    assert json.loads(polypinch("judge", "show", own, "--json"))["measured"]["fi"]["agreement"] == 0.5


def test_it_fails_where_no_verdict_could_be_had_and_counts_where_some_could_not(
    files: list[Path], served_stub: tuple[Stub, str], tmp_path: Path
) -> None:
    stub, address = served_stub
    stub.content = "I cannot tell."
    command = ["compare", *files, "--model", "m", "--base-url", address, "--store"]
    done = CliRunner().invoke(app, list(map(str, [*command, tmp_path / "none.sqlite"])))
    assert done.exit_code != 0
    assert "none of" in str(done.exception) or "no verdict could be had" in str(done.exception)
    stub.content = None
    replies = iter(["no JSON"])

    def once(prompt: str) -> bytes:
        said = next(replies, None)
        return Stub.reply(stub, prompt) if said is None else completion(said, prompt)

    stub.reply = once  # type: ignore[method-assign]
    done = CliRunner().invoke(app, list(map(str, [*command, tmp_path / "some.sqlite"])))
    assert done.exit_code == 0
    assert "no verdict ×1: the reply is not one JSON object" in done.output


def test_answers_to_another_prompt_are_refused_with_both(files: list[Path]) -> None:
    rows = [json.loads(line) for line in files[1].read_text().splitlines()]
    rows[3]["prompt"] = "Something else"
    files[1].write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = CliRunner().invoke(app, ["compare", *map(str, files), "--model", "m"])
    assert isinstance(done.exception, PinchError)
    assert rows[3]["item_id"] in done.exception.message
    assert "Something else" in done.exception.message
