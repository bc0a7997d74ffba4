"""What a study without a ladder of doses found, in a sentence."""

from __future__ import annotations

from collections.abc import Sequence

from polypinch.experiments.experiment import Result
from polypinch.experiments.languages.measure import NumberOfLanguages
from polypinch.experiments.measured import LOSS
from polypinch.experiments.transfer.measure import Transfer
from polypinch.experiments.wording import of_measure
from polypinch.languages import language
from polypinch.stats import Estimate


def headline(model: str, results: Sequence[Result]) -> str | None:
    """Return what the number of languages does, or else what single languages give, or ``None``.

    Args:
        model: the base model.
        results: of the study's experiments.
    """
    mine = [result for result in results if result.model == model]
    said = [_languages(result) for result in mine if isinstance(result, NumberOfLanguages)]
    said += [_transfer(result) for result in mine if isinstance(result, Transfer)]
    return next((f"{model}: {sentence}" for sentence in said if sentence is not None), None)


def _transfer(shown: Transfer) -> str | None:
    """Say which language gives the others most and which least."""
    means = [mean for mean in of_measure(shown.means, LOSS) if mean.side == "beside"]
    if len(means) < 3:
        return None
    means.sort(key=lambda mean: mean.estimate.value)
    best, worst = means[0], means[-1]
    told = sum(mean.estimate.high < 0 or mean.estimate.low > 0 for mean in means)
    return (
        f"tuned on one language alone, {language(best.language).name} gives the other languages most and"
        f" {language(worst.language).name} least: their held-out loss is {_change(best.estimate)} and"
        f" {_change(worst.estimate)} from the mean over all {len(means)} models ({_sample(best.estimate)})."
        f" {told or 'None'} of the {len(means)} can be told from that mean."
    )


def _languages(shown: NumberOfLanguages) -> str | None:
    """Say up to which number of languages one more step helps those that no arm was tuned on."""
    steps = of_measure(shown.steps, LOSS)
    if not steps:
        return None
    helps = [step for step in steps if step.estimate.high < 0]
    start = f"at one budget, over {len(shown.unseen)} languages that no arm was tuned on,"
    if not helps:
        first = steps[0]
        return (
            f"{start} no step to more languages can be told to lower held-out loss; from {first.before} to"
            f" {first.languages} it changes by {_change(first.estimate)} ({_sample(first.estimate)})."
        )
    last = helps[-1]
    return (
        f"{start} the step from {last.before} to {last.languages} languages is the last that can be"
        f" told to lower held-out loss: by {_change(last.estimate)} ({_sample(last.estimate)})."
    )


def _change(estimate: Estimate) -> str:
    words = f"{estimate.value:+.3f} bits per byte ({estimate.low:+.3f} to {estimate.high:+.3f})"
    return words.replace("-", "−")


def _sample(estimate: Estimate) -> str:
    seeds = estimate.n_seeds
    return f"95 % intervals; {estimate.n_items} items, {seeds} training seed{'s' if seeds > 1 else ''}"
