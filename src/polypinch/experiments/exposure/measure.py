"""Whether exposure in pretraining, or likeness, tells what languages give: the paper's section 4."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from polypinch.errors import PinchError
from polypinch.experiments.measured import LOSS, SCORE
from polypinch.files import read_table
from polypinch.languages import Distances, language
from polypinch.report import Experiment
from polypinch.results import Axes, fill
from polypinch.stats import Array, Estimate, correlation, mantel, ratio_intervals, without_means
from polypinch.study import UNTUNED, Graph, Store

_FEWEST = 4  # languages: fewer have no interval


@dataclass(frozen=True)
class Costs:
    """What the untuned base needs for the held-out responses.

    Attributes:
        bits: (items, languages) of a response; the language's own columns in the order of the axes.
        tokens: (items, languages).
    """

    bits: Array
    tokens: Array


def exposure(
    axes: Axes, shown: Experiment, costs: Costs | None, disclosed: Mapping[str, float] | None = None
) -> Experiment | None:
    """Return what languages give beside proxies of their pretraining exposure, with correlations.

    Args:
        axes: of the study's arrays.
        shown: the transfer of the same model.
        costs: of the untuned base, for the proxies that the study itself holds.
        disclosed: shares of pretraining by language, where they are known.
    """
    means = shown.tables["transfer_means"]
    trained = list(dict.fromkeys(row["language"] for row in means if row["side"] == "gives"))
    proxies = _proxies(axes, trained, costs, disclosed)
    values = [
        {"model": shown.model, "proxy": proxy, "language": tag, **one.as_dict()}
        for proxy, found in proxies.items()
        for tag, one in found.items()
    ]
    coefficients: list[dict[str, Any]] = []
    for proxy, found in proxies.items():
        scale = np.log if proxy == "share" else np.asarray
        x = scale(np.array([found[tag].value if tag in found else np.nan for tag in trained]))
        for measure in (LOSS, SCORE):
            for side in ("gives", "beside"):
                y = _given(means, trained, measure, side)
                for name, ranks in (("Pearson", False), ("Spearman", True)):
                    one = correlation(x, y, ranks)
                    if one.n < _FEWEST or not math.isfinite(one.value):
                        continue
                    about = {"proxy": proxy, "measure": measure, "side": side, "coefficient": name}
                    ends = {"value": one.value, "low": one.low, "high": one.high, "n": one.n}
                    coefficients.append({"model": shown.model, **about, **ends, **_left_out(one, trained)})
    if not coefficients:
        return None
    given = [row for row in means if row["side"] in ("gives", "beside")]
    tables = {"exposure": values, "exposure_correlations": coefficients}
    facts = {"given": given, "against": shown.facts["against"], "base": axes.languages[0]}
    return Experiment("exposure", shown.model, tables, facts)


def _proxies(
    axes: Axes, trained: Sequence[str], costs: Costs | None, disclosed: Mapping[str, float] | None
) -> dict[str, dict[str, Estimate]]:
    found: dict[str, dict[str, Estimate]] = {}
    if costs is not None:
        for name, values in (("bits", costs.bits), ("tokens", costs.tokens)):
            base = np.repeat(values[:, :1], values.shape[1], axis=1)
            ratios = zip(axes.languages, ratio_intervals(base, values), strict=True)
            found[name] = {tag: one for tag, one in ratios if tag in trained and one.n_items}
    if disclosed:
        nothing = float("nan")
        found["share"] = {
            tag: Estimate(disclosed[tag], nothing, nothing, 0, 0) for tag in trained if tag in disclosed
        }
    return found


def _given(means: Sequence[Mapping[str, Any]], trained: Sequence[str], measure: str, side: str) -> Array:
    """Return what each language gives, more being better; NaN where it was not measured."""
    sign = -1.0 if measure == LOSS else 1.0
    rows = {row["language"]: row for row in means if row["measure"] == measure and row["side"] == side}
    return np.array([sign * rows[tag]["value"] if tag in rows else np.nan for tag in trained])


def _left_out(one: Any, tags: Sequence[str]) -> dict[str, Any]:
    ends: dict[str, Any] = {}
    for end in ("least", "most"):
        position = getattr(one, f"{end}_without")
        ends |= {end: getattr(one, end), f"{end}_without": None if position is None else tags[position]}
    return ends


def similarity(axes: Axes, shown: Experiment, apart: Distances) -> Experiment | None:
    """Return transfer between two languages beside how far apart they are, with Mantel's test.

    Args:
        axes: of the study's arrays.
        shown: the transfer of the same model.
        apart: distances between the languages that are both trained on and evaluated, in their order.
    """
    tags = apart.languages
    at = {tag: index for index, tag in enumerate(tags)}
    pairs: list[dict[str, Any]] = []
    coefficients: list[dict[str, Any]] = []
    kinds = {name: getattr(apart, name) for name in ("genetic", "script", "typological")}
    for measure in (LOSS, SCORE):
        matrix = np.full((len(tags), len(tags)), np.nan)
        for row in shown.tables["transfer"]:
            if row["measure"] == measure and row["trained"] in at and row["evaluated"] in at:
                better = -row["value"] if measure == LOSS else row["value"]
                matrix[at[row["trained"]], at[row["evaluated"]]] = better
        off = ~np.eye(len(tags), dtype=bool)
        if not np.isfinite(matrix[off]).all():
            continue
        rest = without_means(matrix)
        for one, other in zip(*np.nonzero(off), strict=True):
            told = {name: _known(values[one, other]) for name, values in kinds.items()}
            about = {"model": shown.model, "measure": measure, "trained": tags[one], "evaluated": tags[other]}
            pairs.append({**about, "value": float(rest[one, other]), **told})
        for kind, values in kinds.items():
            for name, ranks in (("Pearson", False), ("Spearman", True)):
                found = mantel(matrix, values, ranks)
                if math.isfinite(found.value):
                    about = {"measure": measure, "distance": kind, "coefficient": name}
                    ends = {"value": found.value, "p": found.p, "n": found.n}
                    left = _left_out(found, tags)
                    coefficients.append({"model": shown.model, **about, **ends, **left})
    if not coefficients:
        return None
    tables = {"similarity": pairs, "similarity_correlations": coefficients}
    return Experiment("similarity", shown.model, tables, {"source": apart.source})


def square(axes: Axes, shown: Experiment) -> list[str]:
    """Return the languages that are both trained on and evaluated."""
    trained = {row["trained"] for row in shown.tables["transfer"]}
    return [tag for tag in axes.languages if tag in trained]


def _known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def read_costs(axes: Axes, graph: Graph, store: Store) -> dict[str, Costs]:
    """Return what each untuned base model needs for the held-out responses, where its loss was measured."""
    found = {}
    for run in graph.tuned:
        if run.arm == UNTUNED and run.loss is not None:
            table = read_table(store.path(run.loss) / "loss.parquet")
            nats, tokens = (fill(axes, {0: table}, name)[0] for name in ("nats", "supervised_tokens"))
            found[run.model] = Costs(nats / math.log(2), tokens)
    return found


def read_exposure(path: Path) -> dict[str, float]:
    """Read disclosed shares of pretraining: a CSV file with the columns ``language`` and ``share``.

    Only ratios of shares count, so percent and parts of 1 do alike.

    Raises:
        PinchError: the file cannot be read, or a row names no language or no share above 0.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise PinchError(f"{path}: cannot be read ({error})", fix="name a CSV file in UTF-8") from error
    if not rows or not {"language", "share"} <= rows[0].keys():
        raise PinchError(
            f"{path}: no rows with the columns language and share",
            fix="begin the file with the line language,share",
        )
    found: dict[str, float] = {}
    for number, row in enumerate(rows, start=2):
        where = f"{path}, line {number}"
        try:
            tag = language((row["language"] or "").strip()).tag
        except PinchError as error:
            raise PinchError(f"{where}: {error}", fix=error.fix) from error
        try:
            share = float(row["share"] or "")
        except ValueError:
            share = math.nan
        if not (math.isfinite(share) and share > 0):
            raise PinchError(
                f"{where}: the share of {tag} is {row['share']!r}, which is no number above 0",
                fix="leave out languages whose share is not known",
            )
        if tag in found:
            raise PinchError(f"{where}: {tag} stands twice", fix="keep one share for each language")
        found[tag] = share
    return found
