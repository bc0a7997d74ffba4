"""A season's first steps: translate and mix. They load no model's library unless a model is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polypinch.mix import Counter, make_mixture
from polypinch.season.season import Season
from polypinch.season.seasoned import Seasoned, write_seasoned
from polypinch.season.translation import translate_pinch
from polypinch.translate import Translated

if TYPE_CHECKING:
    from polypinch.chat import ChatFormat


def translate_season(
    season: Season, model: str | None = None, max_cost: float | None = None
) -> Translated | None:
    """Make the rows that are lacking; ``None`` where nobody translates.

    Raises:
        PinchError: the model that is named would cut too many rows off, which is said before anything is paid
            for; or as :func:`~polypinch.season.translation.translate_pinch`.
    """
    if season.translator is None:
        return None
    plan, rows = season.pinch.plan, season.gathered.pool
    if counter := _format(season, model)[1]:
        make_mixture(plan.model_copy(update={"doses": ()}), rows, counter)
    return translate_pinch(plan, rows, season.translator, season.translations, max_cost)


def mix_season(season: Season, model: str | None = None) -> Seasoned:
    """Write the seasoned rows, in the format of a model where one is named or tuned.

    Raises:
        PinchError: as :func:`~polypinch.season.seasoned.write_seasoned`.
    """
    chat, counter = _format(season, model)
    name = season.translator.name if season.translator else ""
    trainer = chat.for_trainers() if chat is not None else None
    return write_seasoned(season.asked, season.gathered, season.pinch, name, trainer, counter)


def _format(season: Season, model: str | None) -> tuple[ChatFormat | None, Counter | None]:
    """Return the chat format of the model that is named or tuned, and what counts its tokens."""
    tuning = season.tuning
    if tuning is None and model is None:
        return None, None
    from polypinch.chat import ChatFormat, count_tokens  # noqa: PLC0415  (loads a model's library)
    from polypinch.models import find_model  # noqa: PLC0415

    base = find_model(tuning.model if tuning else model or "")
    chat = ChatFormat.load(base, tuning.recipe.chat_template if tuning else None)
    return chat, count_tokens(chat, tuning.recipe.max_length if tuning else _LONGEST)


_LONGEST = 1024
