"""Text from outside on its way to a terminal or a table: what would act there is taken away."""

from __future__ import annotations

import re
from typing import Any

_ESCAPE = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\|\Z)|[ -/]*[0-~])|\x9b[0-?]*[ -/]*[@-~]"
)
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def printable(text: str) -> str:
    """Return a text without what a terminal obeys: escape sequences, control characters but tab and newline.

    Controls of direction go too, since they make a line read as another; half surrogate pairs become ``�``.
    """
    return _CONTROL.sub(lambda sign: "�" if sign[0] >= "\ud800" else "", _ESCAPE.sub("", text))


def cell(value: Any) -> Any:
    """Return a value for a CSV cell; a text that a spreadsheet takes for a formula begins with ``'``."""
    if not isinstance(value, str) or not value.startswith(_FORMULA):
        return value
    try:
        float(value)
    except ValueError:
        return f"'{value}"
    return value
