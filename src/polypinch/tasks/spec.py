"""What a task is, and how it is scored."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator

from polypinch.errors import PinchError
from polypinch.languages import languages
from polypinch.specs import Spec

Layout = Literal["mgsm", "xcopa", "xquad"]
Metric = Literal["exact_match", "number_match", "f1", "accuracy", "accuracy_by_length"]

METRICS: dict[str, tuple[Metric, ...]] = {
    "mgsm": ("number_match",),
    "xcopa": ("accuracy", "accuracy_by_length"),
    "xquad": ("f1", "exact_match"),
    "pool": ("exact_match", "number_match", "f1"),
}
"""By layout the metrics it can be scored by, its usual one first."""

_LONGEST = {"mgsm": 256, "xcopa": 0, "xquad": 64, "pool": 256}


class Task(Spec):
    """A held-out set whose answers can be checked.

    Attributes:
        name: letters, digits, dots, dashes; unique in a study.
        layout: of the files under ``path``: ``mgsm`` (question, tab, number), ``xcopa`` (JSON Lines of
            premises with two choices) or ``xquad`` (SQuAD's JSON).
        path: a folder with one file for each language, or one such file.
        pool: instead of a path: a pool, whose held-out responses are the right answers.
        languages: tags; by default all that the study evaluates and the task has.
        items: so many, the same in every language, in a fixed random order; by default all.
        metric: what is drawn; by default the layout's first.
        max_new_tokens: an answer ends here if not before; by default 256, for xquad 64.
        prompts: the user's own wording, by language, or ``default``: a text with ``{question}``; for xquad
            also ``{context}``; for xcopa ``{cause: …, effect: …}``, each with ``{premise}``.
    """

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=80)
    layout: Layout | None = None
    path: str | None = None
    pool: str | None = None
    languages: tuple[str, ...] = ()
    items: int | None = Field(None, gt=0)
    metric: Metric | None = None
    max_new_tokens: int | None = Field(None, gt=0)
    prompts: dict[str, str | dict[str, str]] = Field(default_factory=dict)

    @field_validator("languages")
    @classmethod
    def _tags(cls, tags: tuple[str, ...]) -> tuple[str, ...]:
        try:
            return tuple(languages(tags))
        except PinchError as error:
            raise ValueError(str(error)) from error

    @model_validator(mode="after")
    def _check(self) -> Task:
        if (self.path is None) == (self.pool is None):
            raise ValueError("give path (with a layout) or pool, one of the two")
        if (self.path is None) != (self.layout is None):
            raise ValueError("a path needs a layout (mgsm, xcopa or xquad), and a pool has none")
        if self.pool is not None and self.prompts:
            raise ValueError("prompts: a pool's rows are prompts already")
        if self.metric is not None and self.metric not in METRICS[self.kind]:
            known = ", ".join(METRICS[self.kind])
            raise ValueError(f"metric: {self.kind} is scored by {known}, not by {self.metric}")
        return self

    @property
    def kind(self) -> str:
        """The layout, or ``pool``."""
        return self.layout or "pool"

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """All that is measured, what is drawn first."""
        main = self.metric or METRICS[self.kind][0]
        rest = () if self.kind == "pool" else METRICS[self.kind]
        return (main, *(metric for metric in rest if metric != main))

    @property
    def longest(self) -> int:
        """Tokens after which an answer is cut off; 0 where nothing is generated."""
        return self.max_new_tokens or _LONGEST[self.kind]
