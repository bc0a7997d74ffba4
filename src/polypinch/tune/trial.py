"""One step of tuning on one row, saved, read and merged, before any is paid for."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from weakref import WeakKeyDictionary

import torch

from polypinch.chat import ChatFormat
from polypinch.conversation import Messages
from polypinch.errors import PinchError
from polypinch.tune.base import Base
from polypinch.tune.batches import flatten
from polypinch.tune.forward import attending
from polypinch.tune.loss import batch_loss, row_losses
from polypinch.tune.recipe import TuneRecipe

_ROW: Messages = [
    {"role": "user", "content": "Name a colour."},
    {"role": "assistant", "content": "Blue, as the sky is by day."},
]
_STEP = 0.02  # large enough that what it changes stands out of bf16's rounding
# A merged adapter rounds once more: it may miss by so much of what the adapter changed.
_MISSED = 0.25
_TRIED: WeakKeyDictionary[Base, set[str]] = WeakKeyDictionary()


def try_adapters(base: Base, chat: ChatFormat, recipe: TuneRecipe) -> None:
    """Take one step with adapters on a base, save them, read them and merge them.

    The base is left as it was, and so are torch's generators. What was tried once of a base is not again.

    Args:
        base: the model.
        chat: its chat format.
        recipe: the adapters' settings.

    Raises:
        PinchError: what was learnt does not come back.
    """
    settings = recipe.model_dump_json(include={"rank", "alpha"})
    if settings in _TRIED.setdefault(base, set()):
        return
    with torch.random.fork_rng(), TemporaryDirectory() as folder:
        try:
            _try(base, chat, recipe, Path(folder))
        finally:
            base.plain()
    _TRIED[base].add(settings)


def _try(base: Base, chat: ChatFormat, recipe: TuneRecipe, folder: Path) -> None:
    row = chat.encode(_ROW)
    before = row_losses(base.plain(), [row])[0]
    trained = base.trainable(recipe)
    place = next(trained.parameters()).device
    with attending(trained):
        batch_loss(trained.eval(), flatten([row]).to(place)).backward()
    with torch.no_grad():
        for weight in trained.parameters():
            if weight.grad is not None:
                weight.sub_(_STEP * weight.grad.sign())
                weight.grad = None
    after = row_losses(trained, [row])[0]
    if base.quantization != "none":
        return  # merged into whole weights, it says something else
    trained.save_pretrained(folder / "adapter")
    merged = row_losses(base.tuned(folder), [row])[0]
    if not abs(merged - after) <= _MISSED * abs(after - before) + 0.01 * abs(before):
        raise PinchError(
            f"adapters of {base.model.name} do not come back as they were saved: a row's loss is {before:.2f}"
            f" without them, {after:.2f} with them, {merged:.2f} with them merged",
            fix="method: full, or choose another base model",
        )
