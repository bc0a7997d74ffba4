"""How trackers name a study's trainings."""

from __future__ import annotations

from pathlib import Path

from polypinch.study.spec import Study
from polypinch.tracking import TrackedRun
from polypinch.tune import TuneRecipe


def tracked_run(
    study: Study, model: str, arm: str, seed: int | None, mark: str, recipe: TuneRecipe | None = None
) -> TrackedRun:
    """Return the run of an arm and seed, the same for its tuning and for what the study found.

    Args:
        study: the study.
        model: the base model.
        arm: its name.
        seed: of the training; ``None`` for the untuned base.
        mark: the fingerprint of its tuning, or of what stands for it.
        recipe: of the tuning.
    """
    short = Path(model).name
    name = arm if seed is None else f"{arm}-s{seed}"
    settings = {"model": short, "arm": arm, "seed": seed}
    if recipe is not None:
        settings |= recipe.model_dump(mode="json", exclude={"report_to"})
    if len(study.models) > 1:
        name = f"{short}-{name}"
    return TrackedRun(study.name, name, arm, mark[:8], settings)
