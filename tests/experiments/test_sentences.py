from __future__ import annotations

from polypinch.experiments.all import headline
from polypinch.languages.tags import language
from polypinch.report import Experiment
from tests.experiments.simulate import preset, simulate


def test_transfer_names_the_best_and_the_worst_giver() -> None:
    found = simulate(preset("monolingual", tags=("en", "ar", "cs", "es", "fi", "he"), seeds=[1, 2]))
    shown = found.shown()
    rows = [
        row
        for row in shown["transfer"].tables["transfer_means"]
        if (row["measure"], row["side"]) == ("loss_change", "beside")
    ]
    best, worst = (end(rows, key=lambda row: row["value"]) for end in (min, max))
    model = shown["transfer"].model
    said = headline(model, list(shown.values()))
    assert said is not None
    assert f"{language(best['language']).name} gives the other languages most" in said
    assert f"{language(worst['language']).name} least" in said
    assert "2 training seeds" in said
    assert headline("another model", list(shown.values())) is None


def steps(*ends: tuple[float, float]) -> Experiment:
    rows = [
        {"measure": "loss_change", "before": at, "languages": at + 1, "value": (low + high) / 2, "low": low,
         "high": high, "n_items": 16, "n_seeds": 1}
        for at, (low, high) in enumerate(ends, start=1)
    ]  # fmt: skip
    return Experiment("languages", "m", {"number_of_languages_steps": rows}, {"unseen": ["cs", "he"]})


def test_the_last_step_that_helps_is_named_or_none_is() -> None:
    said = headline("m", [steps((-0.03, -0.01), (-0.02, -0.01), (-0.01, 0.01))])
    assert said is not None
    assert "from 2 to 3 languages is the last" in said
    none = headline("m", [steps((-0.03, 0.01), (-0.02, 0.01))])
    assert none is not None
    assert "no step to more languages can be told" in none
