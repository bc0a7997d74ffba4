"""What a study without a ladder of doses found, in a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from polypinch.experiments.measured import LOSS
from polypinch.languages import language
from polypinch.report import Experiment

Row = Mapping[str, Any]


def headline(model: str, shown: Sequence[Experiment]) -> str | None:
    """Return what the number of languages does, or else what single languages give, or ``None``.

    Args:
        model: the base model.
        shown: the study's experiments.
    """
    for kind, said in (("languages", _languages), ("transfer", _transfer)):
        for one in shown:
            found = said(one) if (one.model, one.kind) == (model, kind) else None
            if found is not None:
                return f"{model}: {found}"
    return None


def _transfer(shown: Experiment) -> str | None:
    """Say which language gives the others most and which least."""
    rows = [
        row
        for row in shown.tables["transfer_means"]
        if row["measure"] == LOSS and row["side"] == "beside" and row["value"] == row["value"]
    ]
    if len(rows) < 3:
        return None
    rows.sort(key=lambda row: float(row["value"]))
    best, worst = rows[0], rows[-1]
    told = sum(row["high"] < 0 or row["low"] > 0 for row in rows)
    return (
        f"tuned on one language alone, {_name(best)} gives the other languages most and {_name(worst)} least:"
        f" their held-out loss is {_change(best)} and {_change(worst)} from the mean over all {len(rows)}"
        f" models ({_sample(best)}). {told or 'None'} of the {len(rows)} can be told from that mean."
    )


def _languages(shown: Experiment) -> str | None:
    """Say up to which number of languages one more step helps those that no arm was tuned on."""
    rows = [row for row in shown.tables["number_of_languages_steps"] if row["measure"] == LOSS]
    if not rows:
        return None
    helps = [row for row in rows if row["high"] < 0]
    start = f"at one budget, over {len(shown.facts['unseen'])} languages that no arm was tuned on,"
    if not helps:
        first = rows[0]
        return (
            f"{start} no step to more languages can be told to lower held-out loss; from {first['before']} to"
            f" {first['languages']} it changes by {_change(first)} ({_sample(first)})."
        )
    last = helps[-1]
    return (
        f"{start} the step from {last['before']} to {last['languages']} languages is the last that can be"
        f" told to lower held-out loss: by {_change(last)} ({_sample(last)})."
    )


def _name(row: Row) -> str:
    return language(str(row["language"])).name


def _change(row: Row) -> str:
    words = f"{row['value']:+.3f} bits per byte ({row['low']:+.3f} to {row['high']:+.3f})"
    return words.replace("-", "−")


def _sample(row: Row) -> str:
    seeds = row["n_seeds"]
    return f"95 % intervals; {row['n_items']} items, {seeds} training seed{'s' if seeds > 1 else ''}"
