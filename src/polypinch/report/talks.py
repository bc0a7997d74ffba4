"""Answers side by side, language by language."""

from __future__ import annotations

from typing import Any

from polypinch.report.data import ReportData

_LONGEST = 1500  # characters of an answer on the page; the answers tables hold all


def talks(data: ReportData) -> list[dict[str, Any]]:
    """Return the samples by language; the first language that is not the base is shown first."""
    labels = {arm.name: arm.label for arm in data.arms}
    talks: list[dict[str, Any]] = []
    for one in data.languages:
        items = [
            {
                "item_id": sample.item_id,
                "prompt": _cut(sample.prompt),
                "reference": None if sample.reference is None else _cut(sample.reference),
                "answers": [
                    {
                        "arm": name,
                        "label": labels[name] if labels[name] != name else "",
                        "text": _cut(sample.answers[name]),
                        "in_language": sample.in_language.get(name),
                    }
                    for name in labels
                    if name in sample.answers
                ],
            }
            for sample in data.samples
            if sample.language == one.tag
        ]
        if items:
            talks.append({**vars(one), "items": items, "chosen": False})
    if talks:
        next((talk for talk in talks if talk["group"] != "base"), talks[0])["chosen"] = True
    return talks


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} […]"
