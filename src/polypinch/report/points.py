"""What a figure draws: the points of a table, their domains, and where their names stand."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from scipy.optimize import isotonic_regression

from polypinch.report.data import UNTUNED, ArmInfo, ReportData, Rows
from polypinch.report.estimates import ArmChange, ArmEstimate, TaskScore
from polypinch.report.tables import is_average, known, row_names, strong_rows
from polypinch.stats import FEWEST_ITEMS

_LINE = 14.5  # px from one name to the next


class Counted(Protocol):
    """A row that says what is behind it."""

    @property
    def n_items(self) -> int:
        """Held-out items."""

    @property
    def n_seeds(self) -> int:
        """Training seeds."""


@dataclass(frozen=True)
class Scale:
    """How a measure is called and written.

    Attributes:
        title: its name and unit.
        note: what to know to read it; parts parted by semicolons.
        axis: its number format on axes and in tooltips (d3-format).
        text: its number format in cells and marks (Python).
        neutral: the value that means no difference.
        lower_is_better: which side of ``neutral`` is the better one.
    """

    title: str
    note: str
    axis: str
    text: str
    neutral: float = 0.0
    lower_is_better: bool = True

    def say(self, value: float) -> str:
        """Write a value, with a true minus sign; a value that only rounds to zero keeps its sign."""
        return format(value, self.text).replace("-", "−") if value else format(value, self.text).lstrip("+-")


def baseline(data: ReportData) -> str:
    """Return the name of the tuned arm without a dose."""
    return next((arm.name for arm in data.arms if arm.is_baseline), "the baseline")


def opponents(data: ReportData) -> str:
    """Return what scores are against, in words."""
    return ", ".join(sorted({row.against for row in data.scores if row.against})) or "the opponent"


def base_name(data: ReportData) -> str:
    """Return the name of the base language."""
    return next((one.name for one in data.languages if one.group == "base"), "the base language")


def noise_of(data: ReportData, model: str, measure: str, language: str) -> float | None:
    """Return the noise floor of a measure, or ``None`` where one seed leaves it unknown."""
    return next(
        (
            row.spread
            for row in data.noise
            if (row.model, row.measure, row.language) == (model, measure, language)
        ),
        None,
    )


def with_neutral(
    data: ReportData, rows: Sequence[ArmEstimate], opponent: str, neutral: float
) -> list[ArmEstimate]:
    """Add the opponent itself, which is even with itself by definition, where the rows leave it out."""
    if opponent not in {arm.name for arm in data.arms} or any(row.arm == opponent for row in rows):
        return list(rows)
    keys = dict.fromkeys((row.model, row.language) for row in rows)
    even = (ArmEstimate(model, opponent, key, neutral, neutral, neutral) for model, key in keys)
    return [*even, *rows]


def shown_points(data: ReportData, model: str, rows: Sequence[ArmEstimate | TaskScore]) -> Rows:
    """Return the rows to draw: known values of known arms, with names, group and role.

    ``strong`` marks the rows to look at first. ``role`` is ``base``, or whether that very arm was
    ``trained`` on the language (for an average: on any of its languages) or ``not trained``. ``least`` and
    ``most`` are the ends that decide whether it differs: those of all languages together where there are any.
    """
    names = {key: (name, group) for key, name, group in row_names(data)}
    arms = {arm.name: arm for arm in data.arms}
    role, strong = _roles(data), strong_rows(data)
    tags = {one.tag for one in data.languages}
    found = []
    for row in rows:
        key, arm = row.language, row.arm
        if row.model != model or key not in names or arm not in arms or not known(row.value):
            continue
        name, group = names[key]
        low, high = (end if known(end) else row.value for end in (row.low, row.high))
        joint = joint_interval(row)
        found.append(
            {
                "key": key,
                "name": name,
                "group": group,
                "role": role(arm, key, group),
                "strong": key in strong,
                "arm": arm,
                "dose": arms[arm].label,
                "tuned": arm != UNTUNED,
                "few": key in tags and 0 < row.n_items < FEWEST_ITEMS,
                "even": low == high == row.value,
                "value": round(row.value, 6),
                "low": round(low, 6),
                "high": round(high, 6),
                "least": low if joint is None else joint[0],
                "most": high if joint is None else joint[1],
            }
        )
    return found


def trained_unseen(data: ReportData) -> list[str]:
    """Return the arms that were trained on a language of the group that is called unseen."""
    unseen = {one.tag for one in data.languages if one.group == "unseen"}
    fed = {line["arm"] for line in data.mixtures if line["language"] in unseen and line["examples"]}
    return [arm.name for arm in data.arms if arm.name in fed]


def _roles(data: ReportData) -> Callable[[str, str, str], str]:
    group_of = {one.tag: one.group for one in data.languages}
    fed = {(line["arm"], line["language"]) for line in data.mixtures if line["examples"]}
    fed |= {(arm, group_of[tag]) for arm, tag in fed if tag in group_of}
    dosed = {arm.name for arm in data.arms if arm.dose_examples}

    def role(arm: str, key: str, group: str) -> str:
        if group == "base":
            return "base"
        # Without a manifest, the study's word for the language is all there is.
        trained = (arm, key) in fed if data.mixtures else group == "seen" and arm in dosed
        return "trained" if trained else "not trained"

    return role


def joint_interval(row: ArmEstimate | TaskScore) -> tuple[float, float] | None:
    """Return the interval that holds for all languages of an arm at once, where a row has one."""
    if not isinstance(row, ArmChange) or row.low_together is None or row.high_together is None:
        return None
    both = (row.low_together, row.high_together)
    return None if math.isnan(both[0]) or math.isnan(both[1]) else both


def untold_doses(data: ReportData, model: str) -> set[tuple[str, str]]:
    """Return (arm, average) where doses were tested together and this one was not told from none."""
    return {
        (row.arm, row.language)
        for row in data.doses
        if (row.model, row.question) == (model, "effective") and not (row.told or row.harms)
    }


def shown_arms(data: ReportData, points: Rows) -> list[ArmInfo]:
    """Return the arms that points have, in order of dose."""
    used = {point["arm"] for point in points}
    return [arm for arm in data.arms if arm.name in used]


def clamped(points: Rows, bottom: float, top: float, say: Callable[[float], str]) -> Rows:
    """Add ``y``, ``y_low``, ``y_high`` in a domain; hold what lies off it at its edge, to say its value."""
    edge = 0.04 * (top - bottom)
    found = []
    for point in points:
        value = point["value"]
        inside = bottom <= value <= top
        y = value if inside else min(max(value, bottom + edge), top - edge)
        y_low, y_high = (min(max(point[end], bottom), top) if inside else y for end in ("low", "high"))
        off = "" if inside else "↑" if value > top else "↓"
        places = {"y": y, "y_low": y_low, "y_high": y_high}
        found.append(point | {name: round(place, 6) for name, place in places.items()} | {"off": off})
    return _say_once(found, say)


def _say_once(points: Rows, say: Callable[[float], str]) -> Rows:
    """Replace each arm's arrows by one text with the values they stand for: several would overprint."""
    strong = any(point["strong"] for point in points)
    told: dict[tuple[str, str], list[float]] = {}
    for point in points:
        if point["off"] and point["strong"] == strong:
            told.setdefault((point["arm"], point["off"]), []).append(point["value"])
    found = []
    for point in points:
        values = told.pop((point["arm"], point["off"]), None) if point["strong"] == strong else None
        words = dict.fromkeys(say(value) for value in (min(values), max(values))) if values else {}
        found.append(point | {"off": f"{' to '.join(words)} {point['off']}" if words else ""})
    return found


def joint_domain(points: Rows, neutral: float, noise: float = 0.0) -> tuple[float, float]:
    """Return a domain that holds the tuned arms and ``neutral`` ± ``noise``, and the untuned base if near."""
    tuned = [point for point in points if point["tuned"]] or points
    ends = [neutral - noise, neutral + noise, *(point["value"] for point in tuned)]
    ends += [point[end] for point in tuned if point["strong"] for end in ("low", "high")]
    bottom, top = min(ends), max(ends)
    reach = top - bottom
    near = [p for p in points if p["strong"] and bottom - reach <= p["value"] <= top + reach]
    bottom = min([bottom, *(point["low"] for point in near)])
    top = max([top, *(point["high"] for point in near)])
    margin = 0.05 * (top - bottom) or 0.01 * max(1.0, abs(neutral))
    return bottom - margin, top + margin


def own_domains(points: Rows) -> dict[str, tuple[float, float]]:
    """Return, by name, a domain around its tuned arms; all domains are equally wide."""
    ends: dict[str, list[float]] = {}
    for point in [point for point in points if point["tuned"]] or points:
        ends.setdefault(point["name"], []).extend((point["low"], point["high"]))
    span = 1.1 * max((max(both) - min(both) for both in ends.values()), default=0.0) or 0.1
    middles = {name: (min(both) + max(both)) / 2 for name, both in ends.items()}
    return {name: (middle - span / 2, middle + span / 2) for name, middle in middles.items()}


def end_labels(points: Rows, arms: list[ArmInfo], bottom: float, top: float, height: int) -> Rows:
    """Place a name beside the end of each line, as near as may be and a line of text apart.

    The nearest such places are an isotonic regression after taking the gaps out (as in Dwyer, Marriott
    and Stuckey 2006, along one axis).
    """
    last = next((arm.name for arm in reversed(arms) if arm.name != UNTUNED), None)
    ends = sorted((point for point in points if point["arm"] == last), key=lambda point: -point["y"])
    if not ends:
        return []
    gap = min(_LINE, (height + 18) / len(ends))
    wanted = [(top - p["y"]) / (top - bottom) * height - i * gap for i, p in enumerate(ends)]
    highest, lowest = -8.0, height + 10 - (len(ends) - 1) * gap
    placed = [min(max(at, highest), lowest) + i * gap for i, at in enumerate(isotonic_regression(wanted).x)]
    return [
        {
            **{name: point[name] for name in ("key", "name", "group", "arm", "strong", "y")},
            "short": point["name"].split()[0] if is_average(point["key"]) else point["key"],
            "label_y": top - float(at) * (top - bottom) / height,
        }
        for point, at in zip(ends, placed, strict=True)
    ]


def slug(name: str) -> str:
    """Return a name as a part of a file's name."""
    return re.sub(r"[^A-Za-z0-9.]+", "-", name).strip("-.")


def file_name(data: ReportData, stem: str, model: str) -> str:
    """Return a figure's file name; with several models, a model's number and name are in it."""
    if len(data.models) == 1:
        return stem
    return f"{stem}-{data.models.index(model) + 1}-{slug(model)}"


def basis(rows: Sequence[Counted]) -> str:
    """Return how many items and seeds are behind rows, in words."""
    return f"{', '.join(counted(rows))}." if counted(rows) else ""


def counted(rows: Sequence[Counted]) -> list[str]:
    """Return how many items, and how many training seeds, are behind rows, in words."""
    told = []
    columns = {"item": [row.n_items for row in rows], "training seed": [row.n_seeds for row in rows]}
    for noun, numbers in columns.items():
        counts = sorted({number for number in numbers if number})
        if counts:
            span = str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
            told.append(f"{span} {noun}{'' if counts == [1] else 's'}")
    return told
