from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.pools import parallel_pool
from tests.running import polypinch
from tests.tiny import tiny_model


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("probing")
    pq.write_table(
        parallel_pool(("en", "es", "fi", "ru"), train=24, heldout=4).select(), made / "pool.parquet"
    )
    tiny_model(made / "model")
    return made


def test_a_probe_leads_to_a_plan_that_mix_accepts(folder: Path) -> None:
    pool, model, out = folder / "pool.parquet", folder / "model", folder / "probe"
    probed = polypinch("probe", model, "--text", pool, "--items", 6, "--out", out, "--json")
    assert probed.returncode == 0, probed.stderr
    found = json.loads(probed.stdout)
    assert found == json.loads((out / "probe.json").read_text())
    assert [one["language"] for one in found["languages"]] == ["en", "es", "fi", "ru"]
    assert found["items"] == 6
    assert (out / "exposure.svg").read_text().startswith("<svg")
    assert (out / "exposure.html").is_file()
    assert (out / "done.json").is_file()
    again = polypinch("probe", "nobody/nothing", "--out", out)
    assert again.returncode == 2
    assert "--overwrite" in again.stderr
    arguments = ("--probe", out, "--pool", pool, "--targets", "fi,pt", "--budget", 24)
    plan = folder / "plan.yaml"
    advised = polypinch("advise", *arguments, "--write", plan, "--json")
    assert advised.returncode == 0, advised.stderr
    advice = json.loads(advised.stdout)
    mixed = polypinch("mix", plan, "--out", folder / "mixture", "--model", model, "--json")
    assert mixed.returncode == 0, mixed.stderr
    lines = {line["language"]: line["examples"] for line in json.loads(mixed.stdout)["languages"]}
    assert lines == {"en": 12} | {one["language"]: one["examples"] for one in advice["languages"]}
    plain = polypinch("advise", *arguments).stdout
    for part in (advice["answer"], advice["rule"], advice["source"], *advice["facts"], *advice["limits"]):
        assert part in plain


def test_tokens_alone_print_a_table_with_the_proxy_and_its_limits(folder: Path) -> None:
    shown = polypinch(
        "probe", folder / "model", "--text", folder / "pool.parquet", "--tokenizer-only", COLUMNS="160"
    )
    assert shown.returncode == 0, shown.stderr
    assert "token premium" in shown.stdout
    assert "bits per byte" not in shown.stdout
    assert "not checked against disclosed shares" in shown.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("advise", "--targets", "fi"), "one of --probe and --study"),
        (("advise", "--probe", "p.json", "--targets", "fi"), "needs a pool"),
        (("advise", "--study", ".", "--budget", "9"), "its own pool and budget"),
        (("advise", "--study", "."), "holds no study"),
        (("advise", "--probe", "p.json", "--pool", "pinch12", "--targets", "fi", "--budget", "9"), "no such"),
        (("probe", "nobody/nothing", "--similarity", "wals"), "known: tree, uriel"),
        (("probe", "nobody/nothing"), "nobody/nothing"),
    ],
)
def test_a_mistake_is_one_message(tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    done = polypinch(*arguments, cwd=tmp_path, HF_HUB_OFFLINE="1")
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
