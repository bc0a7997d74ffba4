from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import jsonschema
import pyarrow.parquet as pq
import pytest
import yaml

from polypinch.files import file_sha256
from tests.pools import parallel_pool
from tests.running import polypinch
from tests.tiny import tiny_model

TAGS = ("en", "es", "fi", "ru")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("cli")
    pq.write_table(parallel_pool(TAGS, train=24, heldout=4).select(), made / "pool.parquet")
    tiny_model(made / "model")
    plan: dict[str, Any] = {
        "pool": str(made / "pool.parquet"),
        "budget": {"examples": 16},
        "doses": [{"languages": ["es", "fi"], "count": 4}],
    }
    (made / "plan.yaml").write_text(yaml.safe_dump(plan))
    (made / "recipe.yaml").write_text(yaml.safe_dump({"epochs": 1, "precision": "fp32", "rank": 4}))
    study: dict[str, Any] = {
        "models": [str(made / "model")],
        "pool": plan["pool"],
        "budget": plan["budget"],
        "languages": {"seen": ["es", "fi"], "unseen": ["ru"]},
        "arms": [{"name": "english"}, {"name": "pinch", "doses": plan["doses"]}],
        "tuning": {"epochs": 1, "precision": "fp32"},
        "answering": {"max_new_tokens": 4},
        "comparison": {"against": "english"},
    }
    (made / "study.yaml").write_text(yaml.safe_dump(study))
    return made


def test_the_steps_alone_lead_from_a_plan_to_answers(folder: Path) -> None:
    model = folder / "model"
    mixed = polypinch("mix", folder / "plan.yaml", "--out", folder / "mixture", "--model", model, "--json")
    assert mixed.returncode == 0, mixed.stderr
    lines = {line["language"]: line for line in json.loads(mixed.stdout)["languages"]}
    assert (lines["en"]["examples"], lines["es"]["examples"], lines["fi"]["examples"]) == (12, 2, 2)
    assert lines["es"]["supervised_tokens"] > 0
    recipe = ("--recipe", folder / "recipe.yaml")
    tuned = polypinch(
        "tune", folder / "mixture", "--out", folder / "tuned", "--model", model, *recipe, "--json"
    )
    assert tuned.returncode == 0, tuned.stderr
    assert json.loads(tuned.stdout)["steps"] == 1
    arguments = ("--tuned", folder / "tuned", "--languages", "en,fi", "--max-new-tokens", 4, "--json")
    answered = polypinch(
        "answer", folder / "pool.parquet", "--out", folder / "answers", "--model", model, *arguments
    )
    assert answered.returncode == 0, answered.stderr
    assert {row["language"] for row in json.loads(answered.stdout)} == {"en", "fi"}
    checked = polypinch("fidelity", folder / "answers" / "answers.parquet", "--json")
    assert checked.returncode == 0, checked.stderr
    assert json.loads(checked.stdout)["all"]["n"] == 8


def test_a_file_of_prompts_is_answered(folder: Path, tmp_path: Path) -> None:
    lines = [{"prompt": f"Kerro luvusta {number}.", "lang": "fi"} for number in range(3)]
    (tmp_path / "prompts.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    arguments = ("--language-column", "lang", "--max-new-tokens", 4, "--model", folder / "model", "--json")
    done = polypinch("answer", tmp_path / "prompts.jsonl", "--out", tmp_path / "answers", *arguments)
    assert done.returncode == 0, done.stderr
    assert [row["language"] for row in json.loads(done.stdout)] == ["fi"] * 3


def test_the_export_is_what_other_trainers_read(folder: Path) -> None:
    out = folder / "exported"
    assert polypinch("mix", folder / "plan.yaml", "--out", out, "--model", folder / "model").returncode == 0
    rows = [json.loads(line) for line in (out / "export" / "train.jsonl").read_text().splitlines()]
    assert len(rows) == 16
    assert [message["role"] for message in rows[0]["messages"]] == ["user", "assistant"]
    info = json.loads((out / "export" / "dataset_info.json").read_text())
    assert info["polypinch"]["file_name"] == "train.jsonl"
    for name in ("trl.yaml", "axolotl.yaml"):
        assert "train.jsonl" in (out / "export" / name).read_text()


def test_check_counts_warns_and_times(folder: Path) -> None:
    done = polypinch("check", folder / "study.yaml", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["tokens"]["tuned"] > 0
    assert found["seconds"] > 0
    assert sum(found["spending"]["hours"].values()) == pytest.approx(found["seconds"] / 3600)
    assert found["disk_free"] > found["disk_bytes"] > 0
    assert {problem["where"] for problem in found["problems"]} == {"heldout", "seeds"}
    speed = ("--tokens-per-second", "tuned: 10, scored: 20, drawn: 5", "--price-per-hour", "2")
    said = polypinch("check", folder / "study.yaml", *speed).stdout
    assert "device hours: " in said
    assert "money: $" in said
    plain = polypinch("check", folder / "study.yaml", "--no-time")
    assert "nothing stops this study" in plain.stdout


def test_a_study_runs_says_where_it_stands_and_reports_again(folder: Path) -> None:
    out = folder / "out"
    done = polypinch("run", folder / "study.yaml", "--out", out)
    assert done.returncode == 0, done.stderr
    assert "report.html" in done.stderr
    states = json.loads(polypinch("status", out, "--json").stdout)
    assert {state["state"] for state in states} == {"done"}
    before = file_sha256(out / "tables" / "loss.csv")
    (out / "tables" / "loss.csv").unlink()
    assert polypinch("report", out).returncode == 0
    assert file_sha256(out / "tables" / "loss.csv") == before
    secret = "sk-not-to-be-seen"
    assert polypinch("report", out, OPENAI_API_KEY=secret, HF_TOKEN=secret).returncode == 0
    assert not any(secret in path.read_text(errors="ignore") for path in out.rglob("*") if path.is_file())


def test_copies_of_studies_are_reported_together_when_all_that_made_them_is_gone(
    folder: Path, tmp_path: Path
) -> None:
    out = folder / "out"
    if not (out / "report.html").is_file():
        assert polypinch("run", folder / "study.yaml", "--out", out).returncode == 0
    for name in ("one", "two"):
        shutil.copytree(out, tmp_path / name)
        (tmp_path / name / "report.html").unlink()
    gone = folder.rename(folder.with_name("gone"))  # model, pool, plan and the first folder
    try:
        states = polypinch("status", "one", "--json", cwd=tmp_path)
        alone = polypinch("report", "one", cwd=tmp_path)
        both = polypinch("report", "one", "two", "--out", "both", "--json", cwd=tmp_path)
    finally:
        gone.rename(folder)
    assert states.returncode == 0, states.stderr
    assert {state["state"] for state in json.loads(states.stdout)} == {"done"}
    assert alone.returncode == 0, alone.stderr
    assert (tmp_path / "one" / "report.html").is_file()
    assert both.returncode == 0, both.stderr
    assert [one["name"] for one in json.loads(both.stdout)["studies"]] == ["one", "two"]
    assert (tmp_path / "both" / "report.html").is_file()


def test_two_studies_go_on_one_page(folder: Path, tmp_path: Path) -> None:
    out = folder / "out"
    if not (out / "report.html").is_file():
        assert polypinch("run", folder / "study.yaml", "--out", out).returncode == 0
    for name in ("one", "two"):
        shutil.copytree(out, tmp_path / name)
    done = polypinch("report", "one", "two", "--out", "both", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [one["name"] for one in found["studies"]] == ["one", "two"]
    assert (found["warnings"], found["differences"]) == ([], [])
    assert {row["study"] for row in found["averages"]} == {"one", "two"}
    page = (tmp_path / "both" / "report.html").read_text()
    assert 'href="../one/report.html"' in page


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("run", "none.yaml", "--out", "x"), "none.yaml: no such file"),
        (("status", "."), "holds no study"),
        (("report", "one", "two"), "several studies need a folder"),
        (("report", "one", "two", "--out", "one"), "one holds one of the studies"),
        (("mix", "plan.yaml", "--out", "m", "--model", "nobody/nothing"), "nobody/nothing"),
        (("tune", "nowhere", "--out", "t"), "no such file"),
        (("pool", "show", "nowhere.parquet"), "nowhere.parquet"),
        (("fidelity", "plan.yaml"), "plan.yaml"),
    ],
)
def test_a_mistake_is_one_message_and_exit_code_2(
    folder: Path, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    (tmp_path / "plan.yaml").write_text((folder / "plan.yaml").read_text())
    done = polypinch(*arguments, cwd=tmp_path, HF_HUB_OFFLINE="1")
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not done.stdout


def test_a_finished_folder_is_not_overwritten_unasked(folder: Path, tmp_path: Path) -> None:
    arguments = ("mix", folder / "plan.yaml", "--out", tmp_path / "m", "--model", folder / "model")
    assert polypinch(*arguments).returncode == 0
    again = polypinch(*arguments)
    assert again.returncode == 2
    assert "--overwrite" in again.stderr
    assert polypinch(*arguments, "--overwrite").returncode == 0


@pytest.mark.parametrize("spec", ["study", "plan", "recipe", "judge"])
def test_schemas_are_for_editors(spec: str) -> None:
    schema = json.loads(polypinch("schema", spec).stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$id"].endswith(spec)
    for part in (schema, *schema.get("$defs", {}).values()):
        assert all(key.get("description") for key in part.get("properties", {}).values())
    assert schema["type"] == "object"
    assert schema["additionalProperties"] is False


@pytest.mark.parametrize(
    "command",
    ["demo", "run", "check", "status", "report", "mix", "tune", "answer", "fidelity", "schema",
     "translate", "pool show", "pool check", "pool import", "probe", "advise",
     "paper list", "paper show", "paper write"],
)  # fmt: skip
def test_help_has_an_example(command: str) -> None:
    shown = polypinch(*command.split(), "--help", COLUMNS="200")
    assert shown.returncode == 0
    assert f"Example: polypinch {command}" in shown.stdout
