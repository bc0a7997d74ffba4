"""A study as YAML with comments: what it is, and what each part is for."""

from __future__ import annotations

import textwrap
from typing import Any

import yaml

from polypinch.paper.presets import EVERYWHERE, SOURCE, UNKNOWN, Preset
from polypinch.paper.setup import PAPER_SLAVIC, Setup
from polypinch.study import Study

_WIDTH = 110
_ALWAYS = ("base", "seeds")
_COMMENTS = {
    "budget": "The size of every mixture.",
    "languages": "Evaluated beside the base; the two lists are two averages of the report.",
    "seeds": "Each selects rows and tunes anew; three or more tell an effect from a run's luck.",
    "tuning": "Ours; polypinch schema study lists all settings.",
    "heldout": "Items for the loss, and how many of them are answered.",
}
_JUDGE = "judge: {model: NAME} lets a language model judge; see docs/judging.md."


def as_yaml(study: Study, of: Preset, setup: Setup) -> str:
    """Return a study as YAML with comments; read back, it is the same study."""
    data = study.model_dump(mode="json", exclude_defaults=True)
    whole = study.model_dump(mode="json")
    data |= {key: whole[key] for key in _ALWAYS}
    data["comparison"] = {key: whole["comparison"][key] for key in ("against", "judge")}
    arms = [f"  - {_flow(arm.model_dump(mode='json', exclude_defaults=True))}" for arm in study.arms]
    lines = [*_head(of, setup), ""]
    for key in Study.model_fields:
        if key not in data:
            continue
        if key in _COMMENTS:
            lines += _comment(_COMMENTS[key])
        if key == "comparison":
            lines += _comment(_JUDGE)
        lines += ["arms:", *arms] if key == "arms" else [_entry(key, data[key])]
    return "\n".join(lines) + "\n"


def _head(of: Preset, setup: Setup) -> list[str]:
    size = setup.size
    lines = _comment(f"{of.name}: {of.title}")
    lines += _comment(f"{of.where}{'' if of.where == 'ours' else f' of {SOURCE}'}. Size {size.name}:"
                      f" {size.meant_for}.")  # fmt: skip
    for title, texts in (("Paper", (of.paper,)), ("Here", differences(of, setup)), ("Unknown", of.unknown)):
        lines += [line for text in texts for line in _comment(f"{title}: {text}")]
    return [*lines, *_comment(f"polypinch paper show {of.name} says more.")]


def differences(of: Preset, setup: Setup | None = None) -> tuple[str, ...]:
    """Return what differs from the paper in this experiment, what the pool lacks included."""
    lacking: list[str] = []
    if setup is not None and of.name == "family" and setup.family == "Slavic":
        lacking = [tag for tag in PAPER_SLAVIC if tag not in setup.stock.languages]
    more = (f"The pool lacks {', '.join(lacking)} of the paper's seven.",) if lacking else ()
    return (*of.ours, *more)


def everything(of: Preset, setup: Setup | None = None) -> dict[str, tuple[str, ...]]:
    """Return all that is to be said of an experiment, by heading."""
    unknown = UNKNOWN if of.where != "ours" else ()
    return {
        "the paper": (of.paper,),
        "ours": (*differences(of, setup), *EVERYWHERE),
        "unknown": (*of.unknown, *unknown),
    }


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(text, _WIDTH - 2)]


def _entry(key: str, value: Any) -> str:
    return f"{key}: {_flow(value)}" if isinstance(value, dict | list) else _dump({key: value}, flow=False)


def _flow(value: Any) -> str:
    return _dump(value, flow=True)


def _dump(value: Any, flow: bool) -> str:
    text: str = yaml.safe_dump(
        value, default_flow_style=flow, sort_keys=False, allow_unicode=True, width=10_000
    )
    return text.strip()
