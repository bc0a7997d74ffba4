from __future__ import annotations

from polypinch.experiments import headline
from polypinch.experiments.languages.measure import NumberOfLanguages, Step
from polypinch.languages.tags import language
from polypinch.stats import Estimate
from tests.experiments.simulate import preset, simulate


def test_transfer_names_the_best_and_the_worst_giver() -> None:
    found = simulate(preset("monolingual", tags=("en", "ar", "cs", "es", "fi", "he"), seeds=[1, 2]))
    shown = found.shown()
    means = [
        mean for mean in shown["transfer"].means if (mean.measure, mean.side) == ("loss_change", "beside")
    ]
    best, worst = (end(means, key=lambda mean: mean.estimate.value) for end in (min, max))
    said = headline("m", list(shown.values()))
    assert said is not None
    assert f"{language(best.language).name} gives the other languages most" in said
    assert f"{language(worst.language).name} least" in said
    assert "2 training seeds" in said
    assert headline("another model", list(shown.values())) is None


def steps(*ends: tuple[float, float]) -> NumberOfLanguages:
    rows = tuple(
        Step("m", "loss_change", at + 1, at, Estimate((low + high) / 2, low, high, 16, 1))
        for at, (low, high) in enumerate(ends, start=1)
    )
    return NumberOfLanguages("m", "english", 1, ("cs", "he"), (), rows)


def test_the_last_step_that_helps_is_named_or_none_is() -> None:
    said = headline("m", [steps((-0.03, -0.01), (-0.02, -0.01), (-0.01, 0.01))])
    assert said is not None
    assert "from 2 to 3 languages is the last" in said
    none = headline("m", [steps((-0.03, 0.01), (-0.02, 0.01))])
    assert none is not None
    assert "no step to more languages can be told" in none
