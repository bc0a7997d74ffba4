from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from polypinch.errors import PinchError
from polypinch.publish import report
from polypinch.results import export_arm, import_results, imported_rows
from polypinch.specs import load_yaml
from polypinch.study import Store, Study, build, open_inputs, open_store
from polypinch.tune import load_tuned
from tests.studies import write_study
from tests.study.test_run import rows, run_to_report

DATE = "2026-01-02T03-04-05.678901"


@pytest.fixture(scope="module")
def finished(tiny_study: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("handed")
    run_to_report(write_study(folder / "study.yaml", tiny_study, arms=tiny_study["arms"][:2]), folder / "out")
    return folder


def opened(folder: Path) -> tuple[Any, Any, Store]:
    inputs = open_inputs(load_yaml(folder / "study.yaml", Study))
    store = Store(folder / "out" / "store")
    return inputs, build(inputs, store), store


def arguments(command: str) -> dict[str, str]:
    words = command.split()
    return dict(one.split("=", 1) for one in words[words.index("--model_args") + 1].split(","))


def logits(model: Any) -> torch.Tensor:
    with torch.no_grad():
        found: torch.Tensor = model(input_ids=torch.arange(10, 40)[None]).logits
    return found


@pytest.mark.parametrize("merge", [False, True])
def test_an_exported_arm_is_the_tuned_model(finished: Path, tmp_path: Path, merge: bool) -> None:
    inputs, graph, store = opened(finished)
    command = export_arm(inputs, graph, store, (None, "pinch-4", 2), tmp_path / "out", merge)
    given = arguments(command)
    model = AutoModelForCausalLM.from_pretrained(given["pretrained"], dtype=given["dtype"])
    assert ("peft" in given) is not merge
    if not merge:
        model = PeftModel.from_pretrained(model, given["peft"])
    run = next(run for run in graph.tuned if (run.arm, run.seed) == ("pinch-4", 2))
    own = load_tuned(inputs.models[run.model], store.path(run.checkpoint), "fp32")
    assert torch.allclose(logits(model.eval()), logits(own), atol=1e-4)
    assert (tmp_path / "out" / "command.sh").read_text().strip() == command


def test_an_arm_that_was_tuned_elsewhere_is_fetched(finished: Path, tmp_path: Path) -> None:
    inputs, graph, store = opened(finished)
    shutil.copytree(store.root, tmp_path / "first")
    open_store(f"file://{tmp_path / 'there'}", tmp_path / "first").share(graph.stages())
    other = open_store(f"file://{tmp_path / 'there'}", tmp_path / "second")
    command = export_arm(inputs, graph, other, (None, "pinch-4", 2), tmp_path / "out", False)
    assert (Path(arguments(command)["peft"]) / "adapter_model.safetensors").is_file()


def test_an_exported_tokenizer_writes_the_studys_chat_and_ends_where_a_turn_does(
    finished: Path, tmp_path: Path
) -> None:
    inputs, graph, store = opened(finished)
    command = export_arm(inputs, graph, store, (None, "untuned", None), tmp_path / "out", False)
    given = arguments(command)
    assert "peft" not in given
    tokenizer = AutoTokenizer.from_pretrained(given["tokenizer"])
    chat = next(iter(inputs.chats.values()))
    turn = [{"role": "user", "content": "Hi"}]
    text = tokenizer.apply_chat_template(turn, tokenize=False, add_generation_prompt=True)
    assert text == chat.render(turn, generation_prompt=True)
    assert tokenizer.eos_token == "<end_of_turn>"


def test_what_is_not_there_is_refused(finished: Path, tmp_path: Path) -> None:
    inputs, graph, _ = opened(finished)
    with pytest.raises(PinchError, match="untuned, english, pinch-4"):
        export_arm(inputs, graph, Store(tmp_path), (None, "pinch-9", 1), tmp_path / "out", False)
    with pytest.raises(PinchError, match="a seed of 1, 2"):
        export_arm(inputs, graph, Store(tmp_path), (None, "pinch-4", None), tmp_path / "out", False)
    with pytest.raises(PinchError, match="not tuned yet"):
        export_arm(inputs, graph, Store(tmp_path), (None, "pinch-4", 1), tmp_path / "out", False)
    assert not (tmp_path / "out").exists()


def results(folder: Path, right: dict[str, list[float]], samples: bool = True) -> Path:
    """Write a results file as the harness does, with a task in each language."""
    folder.mkdir(parents=True, exist_ok=True)
    numbers = {}
    for tag, each in right.items():
        mean = sum(each) / len(each)
        numbers[f"copa_{tag}"] = {"alias": tag, "acc,none": mean, "acc_stderr,none": 0.1}
        lines = [
            {"doc_id": n, "filter": "none", "metrics": ["acc"], "acc": one} for n, one in enumerate(each)
        ]
        if samples:
            text = "\n".join(map(json.dumps, lines))
            (folder / f"samples_copa_{tag}_{DATE}.jsonl").write_text(text)
    counts = {f"copa_{tag}": {"original": len(each), "effective": len(each)} for tag, each in right.items()}
    path = folder / f"results_{DATE}.json"
    path.write_text(json.dumps({"results": numbers, "n-samples": counts}))
    return path


BASE = {"en": [1.0, 0.0, 1.0, 0.0], "fi": [0.0, 0.0, 1.0, 0.0]}
BETTER = {"en": [1.0, 0.0, 1.0, 0.0], "fi": [1.0, 0.0, 1.0, 0.0]}


def bring(folder: Path, out: Path, file: Path, arm: str, seed: int | None) -> None:
    inputs, graph, _ = opened(folder)
    import_results(inputs.study, graph, out, [file], (None, arm, seed), {})


def test_arms_are_paired_by_document_and_seed(finished: Path, tmp_path: Path) -> None:
    for seed in (1, 2):
        bring(
            finished,
            tmp_path,
            results(tmp_path / f"e{seed}", BASE | {"en": [1.0, 0.0, 1.0, seed - 1.0]}),
            "english",
            seed,
        )
        bring(finished, tmp_path, results(tmp_path / f"p{seed}", BETTER), "pinch-4", seed)
    bring(finished, tmp_path, results(tmp_path / "u", BASE | {"fi": [0.0] * 4}), "untuned", None)
    found = {(one["arm"], one["language"]): one for one in imported_rows(opened(finished)[0].study, tmp_path)}
    assert {key[1] for key in found} == {"en", "fi", "seen", "others"}
    assert (found["pinch-4", "fi"]["value"], found["pinch-4", "fi"]["change"]) == (0.5, 0.25)
    assert found["english", "en"]["value"] == pytest.approx(0.625)
    assert found["untuned", "fi"]["value"] == 0.0
    assert found["pinch-4", "fi"]["source"] == "lm-evaluation-harness"
    assert (found["pinch-4", "fi"]["n_items"], found["pinch-4", "fi"]["n_seeds"]) == (4, 2)


def test_without_samples_intervals_are_the_harnesss_own(finished: Path, tmp_path: Path) -> None:
    bring(finished, tmp_path, results(tmp_path / "p", BETTER, samples=False), "pinch-4", 1)
    found = imported_rows(opened(finished)[0].study, tmp_path)
    assert [one["language"] for one in found] == ["en", "fi"]
    assert found[1]["high"] - found[1]["value"] == pytest.approx(0.196, abs=1e-3)
    assert found[1]["change"] is None


def test_the_same_score_twice_is_refused_and_the_same_file_is_not(finished: Path, tmp_path: Path) -> None:
    first = results(tmp_path / "a", BASE)
    bring(finished, tmp_path, first, "english", 1)
    bring(finished, tmp_path, first, "english", 1)
    with pytest.raises(PinchError, match="acc of copa in en already"):
        bring(finished, tmp_path, results(tmp_path / "b", BETTER), "english", 1)


def test_the_report_shows_what_was_brought_in(finished: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(finished / "out", out, ignore=shutil.ignore_patterns("store"))
    bring(finished, out, results(tmp_path / "p", BETTER), "pinch-4", 1)
    inputs, graph, store = opened(finished)
    report(inputs, graph, store, out)
    assert {(one["task"], one["arm"]) for one in rows(out, "tasks")} == {("copa", "pinch-4")}
    assert "copa (scored by lm-evaluation-harness)" in (out / "report.html").read_text()
