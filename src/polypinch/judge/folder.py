"""Judges are folders: a prompt, the schema of its reply, settings, and what was measured of it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
from pydantic import Field, model_validator

from polypinch.errors import PinchError
from polypinch.files import fingerprint, read_json
from polypinch.judge.kinds import JudgeKind, KindName, kind_of
from polypinch.judge.prompts import check_template
from polypinch.languages import language
from polypinch.specs import Spec, load_yaml

PROMPT, SCHEMA, SETTINGS, MEASURED = "prompt.j2", "schema.json", "settings.yaml", "measured.json"
# Raised when the same folder would be asked in another way (how answers are set into the prompt, say).
_ASKING = 1
_HOME = files("polypinch.judge") / "judges"


class Labels(Spec):
    """The words whose probabilities are the verdict; one token each.

    Attributes:
        first: for the answer shown first.
        second: for the answer shown second.
        tie: for neither.
    """

    first: str = "A"
    second: str = "B"
    tie: str = "C"


class JudgeSettings(Spec):
    """How a judge is asked.

    Attributes:
        kind: ``pairwise``: two answers, a reply in JSON; ``pairwise-token``: the probabilities of one token;
            ``grade``: one answer, a whole number; ``reference``: no model at all.
        model: whom to ask where nobody is named.
        temperature: of the reply; null leaves it to the server (some take no other).
        max_tokens: of the reply.
        labels: of ``pairwise-token``.
        api_key_env: the environment variable that holds the key.
        extra: sent along as they are, for what only some servers know (``reasoning_effort``, say).
        tie_margin: of ``reference``: qualities no further apart are a tie, in points of chrF.
    """

    kind: KindName
    model: str | None = None
    temperature: float | None = Field(0.0, ge=0)
    max_tokens: int = Field(400, gt=0)
    labels: Labels = Labels()
    api_key_env: str = "OPENAI_API_KEY"
    extra: dict[str, Any] = Field(default_factory=dict)
    tie_margin: float = Field(2.0, ge=0)

    @model_validator(mode="after")
    def _check(self) -> JudgeSettings:
        if self.kind is KindName.PEOPLE:
            raise ValueError("kind: people are no folder; write comparison.judge: {people: JOB}")
        if len({self.labels.first, self.labels.second, self.labels.tie}) < 3:
            raise ValueError("labels: the three must differ")
        return self


@dataclass(frozen=True)
class Judge:
    """A judge as its folder declares it.

    Attributes:
        name: the folder's name.
        kind: see :class:`JudgeSettings`.
        template: the English prompt, Jinja; empty for ``reference``.
        translations: prompts in other languages, by tag.
        schema: JSON Schema of the reply, or ``None``.
        settings: how it is asked.
        version: 64 hex digits that change with prompts, schema or settings.
        measured: what a validation found, or ``None``.
        path: the folder.
    """

    name: str
    kind: JudgeKind
    template: str
    translations: dict[str, str]
    schema: dict[str, Any] | None
    settings: JudgeSettings
    version: str
    measured: dict[str, Any] | None
    path: Path

    def prompt_in(self, tag: str) -> str:
        """Return the template for a language: its own, its base language's, or the English one."""
        base = tag.partition("-")[0]
        return self.translations.get(tag) or self.translations.get(base) or self.template


def built_in_judges() -> list[str]:
    """Return the names of the judges that come along."""
    return sorted(entry.name for entry in _HOME.iterdir() if entry.is_dir())


def load_judge(name_or_path: str | Path) -> Judge:
    """Load a judge by its built-in name or its folder's path.

    Raises:
        PinchError: there is no such judge, or its folder is not whole.
    """
    given = str(name_or_path)
    folder = Path(str(_HOME / given)) if given in built_in_judges() else Path(given).expanduser()
    if not folder.is_dir():
        raise PinchError(
            f"no judge {given!r}",
            fix=f"name one of {', '.join(built_in_judges())}, or a folder with {PROMPT} and {SETTINGS}",
        )
    settings = load_yaml(folder / SETTINGS, JudgeSettings)
    template, translations, schema = "", {}, None
    kind = kind_of(settings.kind)
    if kind.asks_model:
        template = _template(folder / PROMPT, kind)
        for path in sorted(folder.glob("prompt.*.j2")):
            tag = language(path.name.split(".")[1]).tag
            translations[tag] = _template(path, kind)
    if kind.reply_key is not None:
        schema = _schema(folder / SCHEMA, kind.reply_key)
    version = fingerprint(
        {
            "asking": _ASKING,
            "prompt": template,
            "translations": translations,
            "schema": schema,
            "settings": settings.model_dump(mode="json", exclude={"model", "api_key_env"}),
        }
    )
    measured = folder / MEASURED
    found = read_json(measured) if measured.is_file() else None
    name = folder.resolve().name
    return Judge(name, kind, template, translations, schema, settings, version, found, folder)


def _template(path: Path, kind: JudgeKind) -> str:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise PinchError(f"{path}: no such file", fix="a judge's folder needs its prompt") from error
    except UnicodeDecodeError as error:
        raise PinchError(f"{path}: not UTF-8 (byte {error.start})", fix="save it as UTF-8") from error
    check_template(text, kind.shows, str(path))
    return text


def _schema(path: Path, key: str) -> dict[str, Any]:
    found = read_json(path)
    if not isinstance(found, dict):
        raise PinchError(
            f"{path}: not a JSON Schema, which is an object", fix=json.dumps({"required": [key]})
        )
    try:
        jsonschema.validators.validator_for(found).check_schema(found)
    except jsonschema.SchemaError as error:
        raise PinchError(f"{path}: not a JSON Schema: {error.message}") from error
    except (RecursionError, TypeError, ValueError, re.error) as error:
        raise PinchError(f"{path}: not a JSON Schema that can be used: {error}") from error
    if key not in found.get("required", []):
        raise PinchError(f"{path}: the reply must require {key!r}", fix=json.dumps({"required": [key]}))
    return found
