"""The seasoned rows on the disk: for three trainers, with manifest, card, and the plan that repeats them."""

from __future__ import annotations

from dataclasses import dataclass

import yaml

from polypinch.files import write_json, write_text
from polypinch.languages import language
from polypinch.mix import (
    MANIFEST_FILE,
    Counter,
    MixPlan,
    Mixture,
    TrainerFormat,
    export,
    make_mixture,
)
from polypinch.pool import PINCH25, open_pool
from polypinch.publish import Origin, mixture_card, origins
from polypinch.season.gathered import Gathered
from polypinch.season.pinch import Pinch
from polypinch.season.request import Request

PLAN, CARD = "plan.yaml", "README.md"


@dataclass(frozen=True)
class Seasoned:
    """The mixture, written.

    Attributes:
        mixture: its rows and manifest.
        origins: where they come from.
        notes: what the reader must know.
    """

    mixture: Mixture
    origins: list[Origin]
    notes: tuple[str, ...]


def write_seasoned(
    asked: Request,
    gathered: Gathered,
    pinch: Pinch,
    translator: str,
    trainer: TrainerFormat | None = None,
    counter: Counter | None = None,
) -> Seasoned:
    """Mix, and write ``train.jsonl``, entries for trainers, ``manifest.json``, ``README.md``, ``plan.yaml``.

    Args:
        asked: the request.
        gathered: its rows.
        pinch: what is put in; its translations are made.
        translator: who made them, for the card; empty where nobody did.
        trainer: the format that the rows are for; it goes with them.
        counter: counts tokens.

    Raises:
        PinchError: the plan cannot be met, or more is truncated than its tolerance.
    """
    pool = open_pool(pinch.plan.pool)
    mixture = make_mixture(pinch.plan, pool, counter)
    listed = origins(mixture.table, pool)
    notes = _notes(gathered, pinch, translator)
    export(mixture.table, asked.out, trainer)
    write_json(asked.out / MANIFEST_FILE, mixture.manifest)
    write_plan(asked, pinch.plan)
    names = ", ".join(language(tag).name for tag in pinch.languages)
    about = (
        f"{gathered.examples:,} rows in {language(asked.base).name}, seasoned with {pinch.count} examples in"
        f" {names} by polypinch. Why so many: {pinch.why}.",
        '`train.jsonl` holds a conversation a line, `{"messages": […]}`; `trl.yaml`, `llamafactory.yaml`'
        " and `axolotl.yaml` are entries for those trainers; `plan.yaml` makes the same"
        " rows again: `polypinch mix plan.yaml --out mixture`.",
    )
    card = mixture_card(mixture, listed, title=f"{asked.out.name}: seasoned rows", about=about, notes=notes)
    write_text(asked.out / CARD, card)
    return Seasoned(mixture, listed, notes)


def _notes(gathered: Gathered, pinch: Pinch, translator: str) -> tuple[str, ...]:
    told: list[str] = []
    if pinch.translated:
        told.append(
            f"The pinch is translated from these rows by {translator}. Sixteen checks passed each row;"
            " none can see a wrong word or a stiff sentence, so let someone who speaks the language read"
            " some."
        )
    else:
        told.append(pinch.confounded)
    if pinch.lacking:
        told.append(
            f"{PINCH25} has no rows in {', '.join(pinch.lacking)}, so none are put in: name a translator"
            " for them."
        )
    return (*told, *gathered.notes)


def write_plan(asked: Request, plan: MixPlan) -> None:
    """Write the plan that makes the same rows again, from the folder where the season was run."""
    data = plan.model_dump(mode="json", exclude_defaults=True)
    text = yaml.safe_dump(data, sort_keys=False, allow_unicode=True)
    write_text(asked.out / PLAN, f"# polypinch mix {asked.out / PLAN} --out mixture\n{text}")
