from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from polypinch.errors import PinchError
from polypinch.tasks.harness import read_results

RESULTS: dict[str, Any] = {
    "results": {
        "xcopa_fi": {"alias": "xcopa_fi", "acc,none": 0.5, "acc_stderr,none": 0.1},
        "mgsm_direct_es": {
            "alias": "mgsm_direct_es",
            "exact_match,flexible-extract": 0.25,
            "exact_match_stderr,flexible-extract": "N/A",
            "bleu,none": 12.5,
            "brier_score,none": 0.25,
        },
        "belebele_fin_Latn": {"acc,none": 0.75, "acc_stderr,none": 0.02},
        "arc_easy": {"acc,none": 0.3, "acc_stderr,none": 0.02},
        "xcopa": {"acc,none": 0.5, "alias": "xcopa"},
    },
    "higher_is_better": {"mgsm_direct_es": {"exact_match": True, "bleu": True, "brier_score": False}},
    "group_subtasks": {"xcopa": ["xcopa_fi"], "arc_easy": []},
    "n-samples": {"xcopa_fi": {"original": 500, "effective": 20}},
}


def results(folder: Path, content: Any = RESULTS) -> Path:
    path = folder / "results_2026-01-02T03-04-05.678901.json"
    path.write_text(json.dumps(content))
    return path


def test_a_tasks_language_is_the_last_part_of_its_name_that_is_evaluated(tmp_path: Path) -> None:
    found, left_out = read_results(results(tmp_path), ["en", "es", "fi"])
    assert [(one.task, one.language, one.metric, one.value, one.stderr, one.n) for one in found] == [
        ("xcopa", "fi", "acc", 0.5, 0.1, 20),
        ("mgsm_direct", "es", "exact_match (flexible-extract)", 0.25, None, None),
        ("belebele", "fi", "acc", 0.75, 0.02, None),
    ]
    assert left_out == [
        "mgsm_direct_es: bleu is 12.5, and shares are 0 to 1",
        "mgsm_direct_es: of brier_score less is better",
        "arc_easy: its name says none of en, es, fi",
    ]


def test_a_language_in_another_script_than_the_evaluated_one_is_left_out_with_words(tmp_path: Path) -> None:
    scripts = ("hin_Deva", "hin_Latn", "zho_Hans", "zho_Hant", "srp_Cyrl", "srp_Latn")
    content = {"results": {f"belebele_{one}": {"acc,none": n / 10} for n, one in enumerate(scripts, 1)}}
    found, left_out = read_results(results(tmp_path, content), ["hi", "zh", "sr-Latn"])
    assert [(one.language, one.value) for one in found] == [("hi", 0.1), ("zh", 0.3), ("sr-Latn", 0.6)]
    assert [line.partition(":")[0] for line in left_out] == [
        "belebele_hin_Latn",
        "belebele_zho_Hant",
        "belebele_srp_Cyrl",
    ]


def test_a_language_can_be_said(tmp_path: Path) -> None:
    found, _ = read_results(results(tmp_path), ["en"], {"arc_easy": "en"})
    assert [(one.task, one.language) for one in found] == [("arc_easy", "en")]


def test_samples_beside_the_results_are_read_by_metric_and_filter(tmp_path: Path) -> None:
    path = results(tmp_path)
    lines = [
        {"doc_id": n, "filter": "none", "metrics": ["acc"], "acc": float(n % 2), "target": "1"}
        for n in range(4)
    ]
    (tmp_path / "samples_xcopa_fi_2026-01-02T03-04-05.678901.jsonl").write_text(
        "\n".join(map(json.dumps, lines))
    )
    one = read_results(path, ["fi"])[0][0]
    assert one.samples == {"0": 0.0, "1": 1.0, "2": 0.0, "3": 1.0}


def test_nothing_in_these_languages_is_refused_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(PinchError, match="--language TASK=TAG"):
        read_results(results(tmp_path), ["sw"])


@pytest.mark.parametrize("content", [[], {"a": 1}, {"results": {"x": 3}}])
def test_another_file_is_refused(tmp_path: Path, content: Any) -> None:
    with pytest.raises(PinchError, match="not a results file"):
        read_results(results(tmp_path, content), ["fi"])


def test_a_broken_sample_is_named(tmp_path: Path) -> None:
    path = results(tmp_path)
    (tmp_path / "samples_xcopa_fi_2026-01-02T03-04-05.678901.jsonl").write_text('{"doc_id": 0}\n{"x"')
    with pytest.raises(PinchError, match="row 2: not a sample"):
        read_results(path, ["fi"])


def test_a_real_file_of_the_harness_is_read_with_its_samples() -> None:
    """Written by lm_eval 0.4.13 for a tiny random model; prompts and replies are cut out of the samples."""
    path = next((Path(__file__).parent / "lm_eval").glob("results_*.json"))
    found, left_out = read_results(path, ["en", "es", "fi"])
    assert not left_out
    assert {(one.task, one.language, one.metric) for one in found} == {
        ("copa", "es", "acc"),
        ("copa", "es", "acc_norm"),
        ("copa", "fi", "acc"),
        ("copa", "fi", "acc_norm"),
        ("sums", "fi", "exact_match (flexible-extract)"),
    }
    for one in found:
        assert one.samples is not None
        assert len(one.samples) == one.n
        assert sum(one.samples.values()) / len(one.samples) == pytest.approx(one.value)
