"""What judging costs: prices, limits, what a run would spend and what it has spent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from polypinch.errors import PinchError
from polypinch.files import read_bytes
from polypinch.specs import Spec, parse_yaml, validate

BYTES_PER_TOKEN = 4


class Price(Spec):
    """Dollars for a million tokens."""

    input: float = Field(ge=0)
    output: float = Field(ge=0)

    def of(self, prompt_tokens: int, completion_tokens: int) -> float:
        """Return the dollars for so many tokens."""
        return (prompt_tokens * self.input + completion_tokens * self.output) / 1e6


Prices = Mapping[str, Price]


def load_prices(path: Path) -> dict[str, Price]:
    """Read a price table, YAML or JSON: ``{model: {input: 0.15, output: 0.60}}``, in $ per million tokens.

    Raises:
        PinchError: it is missing, or a price is none.
    """
    data = parse_yaml(read_bytes(path), str(path))
    if not isinstance(data, dict) or not all(isinstance(prices, dict) for prices in data.values()):
        raise PinchError(f"{path}: no price table", fix="write {model: {input: 0.15, output: 0.60}}")
    return {str(model): validate(prices, Price, f"{path}: {model}") for model, prices in data.items()}


def price_of(model: str, prices: Prices | None, limits: Limits) -> Price | None:
    """Return a model's price, or ``None`` where none is known.

    Raises:
        PinchError: the cost is limited, and there is no price to count it by.
    """
    found = (prices or {}).get(model)
    if found is None and limits.max_cost is not None:
        known = ", ".join(prices or {}) or "none"
        raise PinchError(
            f"the cost is limited, and there is no price for {model}",
            fix=f"give a price table that has it (known: {known})",
        )
    return found


@dataclass(frozen=True)
class Limits:
    """What one run may do.

    Attributes:
        concurrency: calls under way at a time.
        max_calls: verdicts asked for, at most.
        max_cost: dollars, at most. A call is not begun where it might cross them.
    """

    concurrency: int = 16
    max_calls: int | None = None
    max_cost: float | None = None


@dataclass
class Spent:
    """What a run has done so far.

    Attributes:
        calls: verdicts asked for.
        requests: sent for them; more than calls where some failed.
        failed: calls that came to no verdict.
        prompt_tokens: as servers counted them.
        completion_tokens: the same.
        cost: dollars, by the price table; 0 without one.
    """

    calls: int = 0
    requests: int = 0
    failed: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0

    def __str__(self) -> str:
        words = f"{self.calls:,} calls, {self.prompt_tokens:,} tokens in, {self.completion_tokens:,} out"
        return f"{words}, {dollars(self.cost)}" if self.cost else words


@dataclass(frozen=True)
class Forecast:
    """What a run would do.

    Attributes:
        verdicts: wanted.
        stored: of them, that are there already, failures that stay included.
        identical: of them, ties without a call: both answers are the same.
        missing: of them, that an answer is missing for.
        repeated: of them, that another call of the same run settles.
        calls: to be made.
        prompt_tokens: of those calls.
        completion_tokens: of those calls, at most.
        cost: dollars at most, or ``None`` without a price.
        seconds: or ``None`` where no like call was made before.
        counted: how tokens were counted.
    """

    verdicts: int
    stored: int
    identical: int
    missing: int
    repeated: int
    calls: int
    prompt_tokens: int
    completion_tokens: int
    cost: float | None
    seconds: float | None
    counted: str

    def __str__(self) -> str:
        words = [f"{self.verdicts:,} verdicts, {self.calls:,} to ask for"]
        words += [f"{self.stored:,} stored"] if self.stored else []
        words += [f"{self.identical:,} between identical answers"] if self.identical else []
        words += [f"{self.missing:,} without an answer"] if self.missing else []
        if self.calls:
            tokens = f"{self.prompt_tokens:,} tokens in, at most {self.completion_tokens:,} out"
            words.append(f"about {tokens} ({self.counted})")
            words.append("no price known" if self.cost is None else f"at most {dollars(self.cost)}")
        if self.calls and self.seconds is not None:
            words.append(f"about {self.seconds / 60:.1f} min")
        return "; ".join(words)


def dollars(amount: float) -> str:
    """Return an amount as people write it: ``$1.20``, ``$0.0004``."""
    return f"${amount:.2f}" if amount >= 0.1 or amount == 0 else f"${amount:.2g}"


class BudgetSpent(PinchError):  # noqa: N818  (an end that was asked for)
    """A limit was reached. What was paid for is stored."""

    def __init__(self, limit: str, spent: Spent, left: int, at_most: bool = False) -> None:
        super().__init__(
            f"stopped at {limit}: {spent}; {'at most ' if at_most else ''}{left:,} calls are left",
            fix="raise the limit and run the same again: it goes on, and asks nothing twice",
        )
        self.limit, self.spent, self.left = limit, spent, left
