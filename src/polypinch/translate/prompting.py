"""How a server is asked for a translation: a folder with a prompt, the schema of its reply, and settings."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import StrictUndefined, TemplateError, meta
from jinja2.sandbox import ImmutableSandboxedEnvironment
from pydantic import Field

from polypinch.conversation import Messages
from polypinch.errors import PinchError
from polypinch.files import fingerprint, read_bytes, read_json
from polypinch.judge import without_thoughts
from polypinch.languages import language
from polypinch.specs import Spec, load_yaml, parse_yaml

Glossary = Mapping[str, Mapping[str, str]]
"""By language: terms, and what they are in it."""

PLAIN = "plain"
_HOME = files("polypinch.translate") / "prompts"
_KNOWN = frozenset({"source", "target", "turns", "glossary", "doubts", "token"})
_ENVIRONMENT = ImmutableSandboxedEnvironment(
    undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False
)
_LEAST_TOKENS = 256


class PromptSettings(Spec):
    """How a translating model is asked.

    Attributes:
        temperature: of the reply; null leaves it to the server.
        tokens_per_byte: tokens of a reply, at most, for each byte of its source.
    """

    temperature: float | None = Field(0.0, ge=0)
    tokens_per_byte: float = Field(2.0, gt=0, le=16)


@dataclass(frozen=True)
class TranslationPrompt:
    """A way to ask for a translation.

    Attributes:
        name: the folder's name.
        template: Jinja; shown the languages' names, the turns, a glossary and doubts about an earlier try.
        schema: JSON Schema of the reply.
        settings: see :class:`PromptSettings`.
        version: 64 hex digits that change with any of them.
    """

    name: str
    template: str
    schema: dict[str, Any]
    settings: PromptSettings
    version: str

    def render(
        self,
        messages: Messages,
        source: str,
        target: str,
        glossary: Mapping[str, str],
        doubts: Sequence[str] = (),
    ) -> str:
        """Return what the model is shown for one conversation; its texts stand between marks of their own."""
        token = secrets.token_hex(8)
        while any(token in message["content"] for message in messages):
            token = secrets.token_hex(8)
        return _ENVIRONMENT.from_string(self.template).render(
            source=language(source).name,
            target=language(target).name,
            turns=messages,
            glossary=glossary,
            doubts=list(doubts),
            token=token,
        )

    def most_tokens(self, messages: Messages) -> int:
        """Return how many tokens a reply may take."""
        size = sum(len(message["content"].encode()) for message in messages)
        return _LEAST_TOKENS + int(size * self.settings.tokens_per_byte)


def load_prompt(name_or_path: str | Path = PLAIN) -> TranslationPrompt:
    """Load a prompt by its built-in name, or its folder's path.

    Raises:
        PinchError: there is none, or its folder is not whole.
    """
    built_in = _HOME / str(name_or_path)
    folder = Path(str(built_in)) if built_in.is_dir() else Path(name_or_path).expanduser()
    if not folder.is_dir():
        raise PinchError(
            f"no translation prompt {str(name_or_path)!r}",
            fix=f"name {PLAIN!r}, or a folder with prompt.j2, schema.json and settings.yaml",
        )
    path = folder / "prompt.j2"
    try:
        template = path.read_text(encoding="utf-8")
        used = meta.find_undeclared_variables(_ENVIRONMENT.parse(template))
    except (OSError, UnicodeDecodeError, TemplateError) as error:
        raise PinchError(f"{path}: not a prompt: {error}") from error
    if not {"target", "turns", "token"} <= used <= _KNOWN:
        raise PinchError(
            f"{path}: it shows {', '.join(sorted(used))}",
            fix=f"it must show target, turns and token, and may show {', '.join(sorted(_KNOWN))}",
        )
    settings = load_yaml(folder / "settings.yaml", PromptSettings)
    schema = read_json(folder / "schema.json")
    version = fingerprint(
        {"prompt": template, "schema": schema, "settings": settings.model_dump(mode="json")}
    )
    return TranslationPrompt(folder.resolve().name, template, schema, settings, version)


def load_glossary(path: Path) -> Glossary:
    """Read a glossary, YAML: ``{de: {term: translation}}``.

    Raises:
        PinchError: it is missing, or is none.
    """
    data = parse_yaml(read_bytes(path), str(path))
    if not isinstance(data, dict) or not all(isinstance(terms, dict) for terms in data.values()):
        raise PinchError(f"{path}: no glossary", fix="write {de: {term: translation}}")
    glossary: dict[str, dict[str, str]] = {}
    for tag, terms in data.items():
        try:
            known = language(str(tag)).tag
        except PinchError as error:
            raise PinchError(f"{path}: {error.message}", fix=error.fix) from error
        glossary[known] = {str(term): str(use) for term, use in terms.items()}
    return glossary


def read_turns(text: str) -> list[str]:
    """Return the texts of a reply.

    Raises:
        ValueError: it is not the JSON object that was asked for.
    """
    bare = without_thoughts(text)
    if bare.startswith("```") and bare.endswith("```"):
        bare = bare[3:-3].partition("\n")[2]
    reply = json.loads(bare)
    turns = reply["turns"] if isinstance(reply, dict) and "turns" in reply else None
    if not isinstance(turns, list) or not all(isinstance(turn, str) for turn in turns):
        raise ValueError("the reply is no object with turns")
    return [turn.strip() for turn in turns]
