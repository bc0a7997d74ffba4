"""What a judge is shown: answers set between marks that they cannot forge.

An answer may say anything: that it has won, that its part is over, that the judge shall obey. Each untrusted
text therefore stands between marks with a code that is drawn for this call alone and occurs in none of the
texts; and what a chat template would read as the end of a turn is broken up.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError, meta
from jinja2.sandbox import ImmutableSandboxedEnvironment

from polypinch.errors import PinchError
from polypinch.languages import language

# Control tokens of common chat formats; a server's tokenizer reads them in a text as it does in a template.
_CONTROL = re.compile(
    r"<(?=[|｜][^<>\n]{1,60}[|｜]>)"
    r"|<(?=/?(?:s|bos|eos|pad|unk|mask|think|start_of_turn|end_of_turn|turn\||\|turn)>)"
    r"|\[(?=/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\])"
    r"|<(?=<SYS>>|</SYS>>)"
)
_SHOWN = {
    "pairwise": {"prompt", "first", "second"},
    "pairwise-token": {"prompt", "first", "second"},
    "grade": {"prompt", "answer"},
}
_KNOWN = {"prompt", "first", "second", "answer", "reference", "language", "token", "labels"}
_ENVIRONMENT = ImmutableSandboxedEnvironment(
    undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False
)


def check_template(text: str, kind: str, where: str) -> None:
    """Refuse a prompt that is no Jinja, shows too little, or sets no code between what it shows.

    Raises:
        PinchError: with the name that is missing or unknown.
    """
    try:
        used = meta.find_undeclared_variables(_ENVIRONMENT.parse(text))
    except TemplateError as error:
        raise PinchError(f"{where}: not a Jinja template: {error}") from error
    lacking = sorted((_SHOWN[kind] | {"token"}) - used)
    if lacking:
        raise PinchError(
            f"{where}: a prompt of kind {kind} must show {', '.join(lacking)}",
            fix="set each answer between lines that carry {{ token }}",
        )
    unknown = sorted(used - _KNOWN)
    if unknown:
        raise PinchError(
            f"{where}: unknown {', '.join(unknown)}", fix=f"there are {', '.join(sorted(_KNOWN))}"
        )


@lru_cache(maxsize=64)
def _compiled(text: str) -> Template:
    return _ENVIRONMENT.from_string(text)


def harmless(text: str, special: Sequence[str] = ()) -> str:
    """Return a text in which no control token of a chat format stands whole.

    Args:
        text: anything.
        special: further tokens, the model's own; a space is set after the first character of each.
    """
    broken = _CONTROL.sub(lambda found: found[0] + " ", text)
    for token in special:
        if len(token) > 1:
            broken = broken.replace(token, f"{token[0]} {token[1:]}")
    return broken


def code(texts: Sequence[str]) -> str:
    """Draw the code of one call's marks, 16 hex digits that stand in none of the texts."""
    while True:
        drawn = secrets.token_hex(8)
        if not any(drawn in text for text in texts):
            return drawn


def render(template: str, tag: str, labels: Any, special: Sequence[str] = (), **shown: str | None) -> str:
    """Set one call's texts into a prompt.

    Args:
        template: Jinja; see :func:`check_template`.
        tag: the item's language.
        labels: with ``first``, ``second`` and ``tie``.
        special: the model's own control tokens, where they are known.
        shown: ``prompt``, ``reference``, and ``first`` and ``second``, or ``answer``; untrusted.
    """
    safe = {name: None if text is None else harmless(text, special) for name, text in shown.items()}
    token = code([text for text in safe.values() if text])
    return _compiled(template).render(**safe, token=token, language=language(tag).name, labels=labels)
