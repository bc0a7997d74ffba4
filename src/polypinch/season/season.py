"""A season that has begun: what was asked, the rows, the pinch, who translates and how a model is tuned."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from polypinch.season.gathered import Gathered, gather_rows
from polypinch.season.pinch import PINCH, Pinch, choose_pinch
from polypinch.season.request import Request

if TYPE_CHECKING:
    from polypinch.translate import Translator
    from polypinch.tune import TuneRecipe


@dataclass(frozen=True)
class Tuning:
    """How a season's model is tuned and measured.

    Attributes:
        model: the base model.
        recipe: how it is tuned.
        items: held-out items for the loss.
        answered: those of them that are answered.
    """

    model: str
    recipe: TuneRecipe
    items: int = 24
    answered: int = 12


@dataclass(frozen=True)
class Season:
    """A season that has begun.

    Attributes:
        asked: the request.
        gathered: its rows.
        pinch: what is put in.
        translator: who translates, or ``None``: the built-in pool's own items are put in.
        tuning: how a model is tuned, or ``None``.
    """

    asked: Request
    gathered: Gathered
    pinch: Pinch
    translator: Translator | None
    tuning: Tuning | None

    @property
    def evaluated(self) -> tuple[str, ...]:
        """The base, then the languages that are put in."""
        return (self.asked.base, *self.pinch.languages)

    @property
    def translations(self) -> Path:
        """The folder of the pinch's translations and of every try at one."""
        return self.asked.out / PINCH


def begin(asked: Request, translator: Translator | None, tuning: Tuning | None) -> Season:
    """Import the rows and choose the pinch.

    Raises:
        PinchError: the rows cannot be read, or nothing can be put in.
    """
    gathered = gather_rows(asked)
    pinch = choose_pinch(asked, gathered, translated=translator is not None)
    return Season(asked, gathered, pinch, translator, tuning)
