"""What a study would spend: hours of one device, and money, for tuning, scoring and drawing apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pydantic import Field

from polypinch.errors import PinchError
from polypinch.judge import dollars
from polypinch.specs import Spec, read_inline, validate

_OPTION, _EXAMPLE = "--tokens-per-second", "tuned: 9000, scored: 30000, drawn: 2000"
_WORK = {"tuned": "tuning", "scored": "scoring", "drawn": "drawing"}


class Speed(Spec):
    """Tokens per second of each kind of work, on one device.

    Attributes:
        tuned: forward and backward.
        scored: forward only.
        drawn: drawn tokens, of many answers at a time.
    """

    tuned: float = Field(gt=0)
    scored: float = Field(gt=0)
    drawn: float = Field(gt=0)

    def seconds(self, tokens: Mapping[str, int]) -> dict[str, float]:
        """Return how long so many tokens of each kind take, in seconds."""
        return {kind: tokens[kind] / getattr(self, kind) for kind in _WORK}


def read_speed(text: str | None, price_per_hour: float | None = None, timed: bool = False) -> Speed | None:
    """Read a speed as a command line gives it.

    Args:
        text: ``5000`` for all alike, or ``tuned: 9000, scored: 30000, drawn: 2000``.
        price_per_hour: which money is told by; that takes a speed.
        timed: this machine is timed where no speed is given.

    Raises:
        PinchError: it is no YAML, leaves a kind of work out, or a number is not above 0; or there is a price
            and no speed.
    """
    if text is None:
        if price_per_hour is not None and not timed:
            raise PinchError(
                "--price-per-hour: without a speed there are no hours",
                fix=f"add {_OPTION} {_EXAMPLE!r}",
            )
        return None
    given = read_inline(text, _OPTION, _EXAMPLE)
    if not isinstance(given, dict):
        given = dict.fromkeys(_WORK, given)
    return validate(given, Speed, _OPTION)


def mean_seconds(speeds: Sequence[Speed], tokens: Mapping[str, int]) -> dict[str, float]:
    """Return the time where each of several base models has an equal part of the work."""
    each = [speed.seconds(tokens) for speed in speeds]
    return {kind: sum(one[kind] for one in each) / len(each) for kind in _WORK}


@dataclass(frozen=True)
class Spending:
    """What a study would spend, the judge's calls aside.

    Attributes:
        hours: of one device, for what is ``tuned`` on, ``scored``, and at most ``drawn``.
        dollars: the same in money, or ``None`` where no price was named.
    """

    hours: dict[str, float]
    dollars: dict[str, float] | None = None

    @classmethod
    def of(cls, seconds: Mapping[str, float], price_per_hour: float | None = None) -> Spending:
        """Return it for seconds of each kind of work, and dollars that an hour of the device costs."""
        hours = {kind: seconds[kind] / 3600 for kind in _WORK}
        priced = None if price_per_hour is None else {kind: n * price_per_hour for kind, n in hours.items()}
        return cls(hours, priced)

    def lines(self) -> list[str]:
        """Say it."""
        said = [f"device hours: {_apart(self.hours, _hours)}"]
        if self.dollars is not None:
            said.append(f"money: {_apart(self.dollars, dollars)}")
        return said


def _apart(amounts: Mapping[str, float], say: Callable[[float], str]) -> str:
    apart = ", ".join(f"{_WORK[kind]} {say(amount)}" for kind, amount in amounts.items())
    return f"{say(sum(amounts.values()))} ({apart}); drawing is the most that it can be"


def _hours(hours: float) -> str:
    return f"{hours:,.1f}" if hours >= 1 else f"{hours:.2g}"
