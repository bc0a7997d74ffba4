"""Reading YAML into validated specs, with errors that name the file, the key and the fix."""

from __future__ import annotations

import difflib
import inspect
import re
import sys
import types
import typing
from collections.abc import Set
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from polypinch.errors import PinchError
from polypinch.files import read_bytes


class Spec(BaseModel):
    """A spec: immutable, and every key known."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @field_validator("*", mode="after", check_fields=False)
    @classmethod
    def _bounded(cls, value: Any) -> Any:
        if isinstance(value, int | float) and abs(value) > LARGEST:
            raise ValueError(f"is beyond {LARGEST:,}")
        return value

    def identity(self, exclude: Set[str] = frozenset()) -> dict[str, Any]:
        """Return what a fingerprint holds of it: every setting that differs from its default, JSON-able.

        So a setting that is added later changes no fingerprint of those who do not use it.

        Args:
            exclude: settings that change nothing of what is made.
        """
        return self.model_dump(mode="json", exclude_defaults=True, exclude=set(exclude))


LARGEST = 10**15
"""No number of a spec is larger."""

Seed = Annotated[int, Field(ge=0, lt=2**32)]
"""What seeds every generator."""

SpecT = TypeVar("SpecT", bound=BaseModel)


LARGEST_YAML = 100_000
"""Values that a YAML file may hold, an alias counted as what it stands for: ten lines can be 10^9."""

DEEPEST_YAML = 100


class _Loader(yaml.SafeLoader):
    """YAML's safe loader, but of a key that stands twice the last one does not win in silence."""

    def fetch_flow_collection_start(self, token: Any) -> None:
        if self.flow_level >= DEEPEST_YAML:  # the scanner's time grows with the square of it
            raise yaml.YAMLError(f"more than {DEEPEST_YAML} brackets lie in one another")
        super().fetch_flow_collection_start(token)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        lines: dict[Any, int] = {}
        for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
            if not isinstance(key, yaml.ScalarNode) or key.tag == "tag:yaml.org,2002:merge":
                continue
            line = key.start_mark.line + 1
            if key.value in lines:
                raise yaml.YAMLError(f"{key.value} stands twice, in lines {lines[key.value]} and {line}")
            lines[key.value] = line
        return dict(super().construct_mapping(node, deep))


def _size(node: Any, known: dict[int, int]) -> int:
    """Return how many values a node stands for, aliases written out; one within itself is without end."""
    if isinstance(node, yaml.ScalarNode) or node is None:
        return 1
    if id(node) not in known:
        known[id(node)] = LARGEST_YAML + 1  # until it is known, in case it holds itself
        inner = node.value if isinstance(node, yaml.SequenceNode) else chain.from_iterable(node.value)
        known[id(node)] = 1 + sum(_size(each, known) for each in inner)
    return known[id(node)]


def parse_yaml(content: str | bytes, where: str) -> Any:
    """Return what YAML says: no code, no key twice, no more values than :data:`LARGEST_YAML`.

    Args:
        content: text, or UTF-8.
        where: names its origin in errors.

    Raises:
        PinchError: it is not UTF-8, not YAML, or too much.
    """
    try:
        loader = _Loader(content if isinstance(content, str) else content.decode("utf-8"))
        try:
            node = loader.get_single_node()
            if _size(node, {}) > LARGEST_YAML:
                raise yaml.YAMLError(f"it stands for more than {LARGEST_YAML:,} values")
            return None if node is None else loader.construct_document(node)
        finally:
            loader.dispose()
    except UnicodeDecodeError as error:
        raise PinchError(f"{where}: not UTF-8 (byte {error.start})", fix="save it as UTF-8") from error
    except RecursionError as error:
        raise PinchError(f"{where}: not YAML: its values lie too deep in one another") from error
    except (yaml.YAMLError, ValueError, TypeError, ArithmeticError, LookupError, AttributeError) as error:
        # The library's own constructors of dates, numbers and tags raise whatever Python does.
        raise PinchError(f"{where}: not YAML: {error}") from error


def load_yaml(path: Path, kind: type[SpecT]) -> SpecT:
    """Read a YAML file as a spec; ``-`` is standard input.

    Raises:
        PinchError: the file is missing, not UTF-8 YAML, or not valid; every wrong key is named.
    """
    piped = path == Path("-")
    where = "standard input" if piped else str(path)
    data = parse_yaml(sys.stdin.buffer.read() if piped else read_bytes(path), where)
    if not isinstance(data, dict):
        raise PinchError(f"{where}: holds no keys", fix="see the example in --help")
    return validate(data, kind, where)


def read_inline(text: str, option: str, example: str) -> Any:
    """Read YAML as a command line gives it: ``tune: {gpus: 1}, loss: {gpus: 1}``, or a value alone.

    Args:
        text: without the braces around all of it.
        option: that it was given to, for the error.
        example: of what it takes.

    Raises:
        PinchError: it is no YAML, or a key stands twice.
    """
    try:
        return parse_yaml(f"{{{text}}}" if ":" in text else text, f"{option} {text!r}")
    except PinchError as error:
        raise PinchError(error.message, fix=f"such as {option} {example!r}") from error


def validate(data: dict[str, Any], kind: type[SpecT], where: str) -> SpecT:
    """Validate a dict as a spec; ``where`` names its origin in errors.

    Raises:
        PinchError: it is not valid.
    """
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        lines, fixes = [], []
        for problem in error.errors():
            key = ".".join(str(part) for part in problem["loc"]) or "(top)"
            if problem["type"] == "extra_forbidden":
                lines.append(f"{where}: unknown key {key!r}")
                near = difflib.get_close_matches(
                    str(problem["loc"][-1]), _known_keys(kind, problem["loc"]), n=1
                )
                if near:
                    fixes.append(f"did you mean {near[0]!r}?")
            else:
                message = problem["msg"].removeprefix("Value error, ")
                lines.append(f"{where}: {key}: {message}")
        raise PinchError("\n".join(lines), fix=" ".join(fixes) or None) from error


def _known_keys(kind: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    current: Any = kind
    for part in location[:-1]:
        if isinstance(part, int):
            continue
        field = current.model_fields.get(part)
        current = _inner_model(field.annotation) if field is not None else None
        if current is None:
            return []
    return list(current.model_fields)


def _inner_model(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias):
        return annotation if issubclass(annotation, BaseModel) else None
    for inside in typing.get_args(annotation):
        found = _inner_model(inside)
        if found is not None:
            return found
    return None


def json_schema(kind: type[BaseModel], name: str) -> dict[str, Any]:
    """Return the JSON Schema of a spec's file, with what its docstring says of each key.

    Args:
        kind: the spec.
        name: of the file it describes; part of the schema's ``$id``.
    """
    schema = kind.model_json_schema()
    described = {"": schema, **schema.get("$defs", {})}
    for model in _models(kind):
        part = described["" if model is kind else model.__name__]
        documented = attributes(model)
        part["description"] = inspect.cleandoc(model.__doc__ or "").partition("\n\n")[0]
        for key, declared in part.get("properties", {}).items():
            declared["description"] = documented.get(key, "")
    own = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"urn:polypinch:{name}"}
    return {**own, **schema}


def attributes(kind: type) -> dict[str, str]:
    """Return what a class's docstring says of each attribute, its bases' included, in one line each."""
    documented = {}
    for base in reversed(kind.__mro__):
        _, _, section = inspect.cleandoc(base.__doc__ or "").partition("\nAttributes:\n")
        section = section.partition("\n\n")[0]
        for found in re.finditer(r"^    (\w+): (.*(?:\n {5,}.*)*)", section, re.MULTILINE):
            documented[found[1]] = " ".join(found[2].split())
    return documented


def _models(kind: type[BaseModel]) -> list[type[BaseModel]]:
    """Return a spec and all that its fields hold, each once."""
    listed = [kind]
    for model in listed:
        for field in model.model_fields.values():
            listed += [inner for inner in _inner_models(field.annotation) if inner not in listed]
    return listed


def _inner_models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias):
        return [annotation] if issubclass(annotation, BaseModel) else []
    return [model for inside in typing.get_args(annotation) for model in _inner_models(inside)]
