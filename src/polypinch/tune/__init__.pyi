from .base import Base
from .batches import flatten
from .loss import HELDOUT_LOSS_SCHEMA, batch_loss, causal_model, heldout_loss, row_losses
from .recipe import TuneRecipe
from .trainer import load_tuned, tune

__all__ = [
    "HELDOUT_LOSS_SCHEMA",
    "Base",
    "TuneRecipe",
    "batch_loss",
    "causal_model",
    "flatten",
    "heldout_loss",
    "load_tuned",
    "row_losses",
    "tune",
]
