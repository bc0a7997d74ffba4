"""The pinch in translation: what fails its checks is replaced by the next item, so the dose holds."""

from __future__ import annotations

from pathlib import Path

from polypinch.errors import PinchError
from polypinch.mix import MixPlan, quotas
from polypinch.pool import Pool
from polypinch.translate import (
    TRIES,
    Translated,
    Translator,
    Tries,
    Wanted,
    is_settled,
    translate_rows,
    wanted_by_plan,
)

_ROUNDS = 6
# A translator of whose new rows more than this fail is not worth the money.
_HOPELESS = 0.5


def lacking_rows(plan: MixPlan, rows: Pool, folder: Path) -> list[Wanted]:
    """Return what is still to be translated for a plan, what was tried in vain left out."""
    made = Tries(folder / TRIES).read()
    return [
        row
        for row in wanted_by_plan(plan, rows, without=_not_again(plan, folder))
        if not any(one.is_good for one in made.get((row.item_id, row.language), ()))
    ]


def translate_pinch(
    plan: MixPlan, rows: Pool, translator: Translator, folder: Path, max_cost: float | None = None
) -> Translated:
    """Translate what a plan lacks; in place of a row that fails in every try comes the next item.

    Run again it goes on where it was: see :func:`~polypinch.translate.translate_rows`.

    Args:
        plan: with ``items: parallel``.
        rows: the pool to translate from.
        translator: who translates.
        folder: for the tries and the pool of translations.
        max_cost: dollars to spend at most, in all runs together.

    Raises:
        PinchError: nobody answers, the limit was reached, or so much fails that the dose cannot be had.
    """
    wanted: dict[tuple[str, str], Wanted] = {}
    for _ in range(_ROUNDS):
        chosen = {
            (row.item_id, row.language): row
            for row in wanted_by_plan(plan, rows, without=_not_again(plan, folder))
        }
        new = chosen.keys() - wanted.keys()
        wanted |= chosen
        done = translate_rows(list(wanted.values()), translator, plan.base, folder, max_cost=max_cost)
        if left := sum(line.open for line in done.lines):
            raise PinchError(
                f"{left} rows were not tried: the limit of money was reached, or the server did not answer",
                fix="run the same command again, with a higher --max-cost if that was it",
            )
        failed = _in_vain(folder) & chosen.keys()
        if not failed:
            return done
        if len(failed & new) > _HOPELESS * len(new):
            break
    raise _refused(done, sorted({tag for _, tag in failed}))


def _refused(done: Translated, tags: list[str]) -> PinchError:
    one = done.left_out[-1]
    why = one.error or "; ".join(one.doubts)
    return PinchError(
        f"{len(done.left_out)} rows failed their checks in every try, the last in {', '.join(tags)}:"
        f" {one.item_id} ({one.language}): {why}",
        fix="another --translator, or leave those languages out",
    )


def _in_vain(folder: Path) -> frozenset[tuple[str, str]]:
    """Return the (item, language) pairs that failed in every try."""
    made = Tries(folder / TRIES).read()
    return frozenset(
        key for key, tries in made.items() if is_settled(tries) and not any(one.is_good for one in tries)
    )


def _not_again(plan: MixPlan, folder: Path) -> frozenset[tuple[str, str]]:
    """Return the pairs that are passed over: what failed in one language is asked in no other.

    Else it would move into the dose of another language, and push out what is translated there.
    """
    good = {key for key, tries in Tries(folder / TRIES).read().items() if any(one.is_good for one in tries)}
    failed = {item for item, _ in _in_vain(folder)}
    return frozenset({(item, tag) for item in failed for tag in quotas(plan)} - good)
