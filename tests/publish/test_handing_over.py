from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import torch
import yaml
from peft import AutoPeftModelForCausalLM
from transformers import AutoModelForCausalLM, AutoTokenizer

from polypinch.pool import MESSAGES, Pool, export_pool
from tests.pools import parallel_pool
from tests.publish.hub_stub import hub
from tests.running import Ended, polypinch
from tests.tiny import tiny_model

ASKED = [{"role": "user", "content": "Question t3 in fi?"}]
TOKEN = "hf_secret_of_the_tests"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A mixture of one short answer, and a tiny model that has learnt it by heart."""
    made = tmp_path_factory.mktemp("handing")
    rows = parallel_pool(("en", "fi"), train=24)
    table = rows.select()
    messages = [
        [turns[0], {"role": "assistant", "content": "user 7"}] for turns in table["messages"].to_pylist()
    ]
    place = table.schema.get_field_index("messages")

    export_pool(
        Pool.from_table(table.set_column(place, "messages", pa.array(messages, MESSAGES)), "p"),
        made / "p.parquet",
    )
    tiny_model(made / "base")
    plan = {
        "pool": str(made / "p.parquet"),
        "budget": {"examples": 24},
        "doses": [{"languages": ["fi"], "count": 8}],
        "tolerance": 1.0,
    }
    (made / "plan.yaml").write_text(yaml.safe_dump(plan))
    (made / "recipe.yaml").write_text(
        "{epochs: 30, batch_rows: 8, precision: fp32, learning_rate: 0.02, rank: 8, schedule: constant}\n"
    )
    done = polypinch("mix", made / "plan.yaml", "--out", made / "mixture", "--model", made / "base")
    assert done.returncode == 0, done.stderr
    options = ("--model", made / "base", "--recipe", made / "recipe.yaml")
    done = polypinch("tune", made / "mixture", "--out", made / "tuned", *options)
    assert done.returncode == 0, done.stderr
    return made


@pytest.fixture
def _online(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the client of the Hub ask a server on loopback: tests are offline."""
    from huggingface_hub import constants

    for name in ("HF_HUB_OFFLINE", "HF_HUB_DISABLE_XET"):
        monkeypatch.setattr(constants, name, name == "HF_HUB_DISABLE_XET")


def export(what: Path, *more: object, **environment: str) -> Ended:
    return polypinch("export", what, *more, **environment)


def said(model: Any, tokenizer: Any) -> list[int]:
    prompt = tokenizer.apply_chat_template(
        ASKED, add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    whole = model.generate(**prompt, max_new_tokens=40, do_sample=False)[0]
    return [int(one) for one in whole[prompt["input_ids"].shape[1] :]]


def test_the_exported_model_loads_speaks_its_format_and_stops_in_plain_transformers(
    folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "mine"
    done = export(folder / "tuned", "--out", out, "--mixture", folder / "mixture")
    assert done.returncode == 0, done.stderr
    assert f"convert_hf_to_gguf.py {out}" in done.stderr
    model, tokenizer = AutoModelForCausalLM.from_pretrained(out), AutoTokenizer.from_pretrained(out)
    assert type(model).__module__.startswith("transformers.")
    answer = said(model, tokenizer)
    end = tokenizer.convert_tokens_to_ids("<end_of_turn>")
    assert answer[-1] == end
    assert tokenizer.decode(answer, skip_special_tokens=True).strip() == "user 7"
    ends = model.generation_config.eos_token_id
    assert end in (ends if isinstance(ends, list) else [ends])


def test_the_adapter_alone_says_what_the_merged_model_says(folder: Path, tmp_path: Path) -> None:
    assert export(folder / "tuned", "--out", tmp_path / "whole").returncode == 0
    assert export(folder / "tuned", "--out", tmp_path / "part", "--adapter").returncode == 0
    merged = AutoModelForCausalLM.from_pretrained(tmp_path / "whole").eval()
    adapted = AutoPeftModelForCausalLM.from_pretrained(tmp_path / "part").eval()
    ids = torch.arange(6, 30).unsqueeze(0)
    with torch.no_grad():
        assert torch.allclose(merged(ids).logits, adapted(ids).logits, atol=1e-3)
    for out in ("whole", "part"):
        card = (tmp_path / out / "README.md").read_text(encoding="utf-8")
        code = card.split("```python\n")[1].split("```")[0].replace("…", ASKED[0]["content"])
        shown = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True
        )
        assert shown.stdout.strip() == "user 7"


def test_the_card_says_base_doses_and_that_nothing_was_measured(folder: Path, tmp_path: Path) -> None:
    options = ("--mixture", folder / "mixture", "--licence", "apache-2.0")
    assert export(folder / "tuned", "--out", tmp_path / "mine", *options).returncode == 0
    card = (tmp_path / "mine" / "README.md").read_text(encoding="utf-8")
    head = yaml.safe_load(card.split("---\n")[1])
    assert head["license"] == "apache-2.0"
    assert head["language"] == ["en", "fi"]
    assert head["library_name"] == "transformers"
    assert re.search(r"\| fi \| Finnish \| 8 examples \| 8 \|", card)
    assert "measured in no study" in card


def test_another_mixture_or_no_tuning_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "mixture.parquet").write_bytes(b"x")
    options = ("--out", tmp_path / "a", "--mixture", tmp_path / "other")
    assert "tuned on another mixture" in export(folder / "tuned", *options).stderr
    assert "no finished tuning" in export(folder / "base", "--out", tmp_path / "b").stderr
    assert "where shall the model go" in export(folder / "tuned").stderr
    assert "no such folder" in export(folder / "tund", "--out", tmp_path / "c").stderr


@pytest.mark.usefixtures("_online")
def test_a_model_is_pushed_with_a_token_from_the_environment_and_nothing_of_ours(
    folder: Path, tmp_path: Path
) -> None:
    with hub() as state:
        environment = {"HF_TOKEN": TOKEN, "HF_ENDPOINT": state.address}
        out = tmp_path / "mine"
        done = export(folder / "tuned", "--out", out, "--push", "org/mine", **environment)
    assert done.returncode == 0, done.stderr
    assert state.created[0]["name"] == "mine"
    assert state.created[0]["organization"] == "org"
    assert state.created[0]["visibility"] == "private"
    assert {"config.json", "model.safetensors", "README.md", "generation_config.json"} <= set(state.files)
    assert not {"spec.json", "done.json"} & set(state.files)
    assert state.files["model.safetensors"] == (out / "model.safetensors").read_bytes()
    assert state.tokens == {f"Bearer {TOKEN}"}
    assert TOKEN not in done.stdout + done.stderr


@pytest.mark.usefixtures("_online")
def test_a_mixture_is_pushed_as_a_data_set_without_paths_of_this_machine(folder: Path) -> None:
    with hub() as state:
        environment = {"HF_TOKEN": TOKEN, "HF_ENDPOINT": state.address}
        done = export(folder / "mixture", "--push", "org/rows", "--public", **environment)
    assert done.returncode == 0, done.stderr
    assert state.created[0]["type"] == "dataset"
    assert state.created[0]["visibility"] == "public"
    assert set(state.files) >= {"train.jsonl", "README.md", "manifest.json", "trl.yaml"}
    assert not any(str(folder).encode() in content for content in state.files.values())
    assert "| fi | test | CC0-1.0 | native | 8 |" in state.files["README.md"].decode()
    assert json.loads(state.files["manifest.json"])["plan"]["pool"] == "p.parquet"


@pytest.mark.parametrize(
    ("name", "environment", "message"),
    [
        ("org/mine", {"HF_TOKEN": ""}, "$HF_TOKEN is not set"),
        ("mine", {"HF_TOKEN": TOKEN}, "no name on the Hub"),
        ("org/mine", {"HF_TOKEN": TOKEN, "HF_ENDPOINT": "http://hub.example"}, "plain http"),
    ],
)
def test_what_could_not_be_pushed_is_refused_before_anything_is_made(
    folder: Path, tmp_path: Path, name: str, environment: dict[str, str], message: str
) -> None:
    done = export(folder / "tuned", "--out", tmp_path / "mine", "--push", name, **environment)
    assert done.returncode == 2
    assert message in done.stderr
    assert not (tmp_path / "mine").exists()


@pytest.mark.usefixtures("_online")
def test_what_the_hub_refuses_is_told_without_the_token(folder: Path) -> None:
    with hub() as state:
        state.refuses = 403
        environment = {"HF_TOKEN": TOKEN, "HF_ENDPOINT": state.address}
        done = export(folder / "mixture", "--push", "org/rows", **environment)
    assert done.returncode == 2
    assert "org/rows could not be pushed" in done.stderr
    assert TOKEN not in done.stderr
