"""What a season would take: rows, calls, money and minutes, before any of it is spent."""

from __future__ import annotations

import math
from dataclasses import dataclass

from polypinch.season.heldout import heldout_wanted
from polypinch.season.season import Season
from polypinch.season.translation import lacking_rows
from polypinch.translate import MOST_TRIES, ServerTranslator

_SECONDS_A_CALL = 5.0
"""Of a chat model that writes a few hundred tokens; a server of one's own may take longer."""


@dataclass(frozen=True)
class Outlook:
    """What a season would take.

    Attributes:
        rows: of the mixture.
        pinch: of them, those in other languages.
        to_translate: rows to be translated, held-out ones included.
        most_calls: calls at most: what a check doubts is tried again.
        cost: dollars for one call each, or ``None`` where no price is known.
        minutes_translating: at 5 seconds a call.
        minutes_tuning: tuning and measuring on this machine, or ``None`` where nothing is tuned.
    """

    rows: int
    pinch: int
    to_translate: int
    most_calls: int
    cost: float | None
    minutes_translating: float
    minutes_tuning: float | None


def look_ahead(season: Season, concurrency: int) -> Outlook:
    """Return what a season would take from here on; nothing is asked of anyone.

    Raises:
        PinchError: something would stop it.
    """
    pinch = season.pinch
    wanted = lacking_rows(pinch.plan, season.gathered.pool, season.translations) if season.translator else []
    minutes = None
    if season.tuning is not None:
        from polypinch.season.stand_in import minutes_to_tune  # noqa: PLC0415  (loads a model's library)

        minutes = minutes_to_tune(pinch, season.gathered, wanted, season.tuning)
        if season.translator is not None:
            wanted = [*wanted, *heldout_wanted(season.evaluated, season.tuning.items)]
    server = season.translator if isinstance(season.translator, ServerTranslator) else None
    price = server.most if server is not None and server.price is not None else None
    added = pinch.count if pinch.plan.placement == "add" else 0
    return Outlook(
        rows=season.gathered.examples + added,
        pinch=pinch.count,
        to_translate=len(wanted),
        most_calls=len(wanted) * MOST_TRIES,
        cost=sum(map(price, wanted)) if price is not None else None,
        minutes_translating=math.ceil(len(wanted) / concurrency) * _SECONDS_A_CALL / 60,
        minutes_tuning=minutes,
    )
