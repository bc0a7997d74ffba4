from .base import Base
from .batches import flatten
from .forward import attending, causal_model
from .loss import batch_loss, heldout_loss, row_losses
from .recipe import TuneRecipe
from .table import HELDOUT_LOSS_SCHEMA, SUMMARY_FILE
from .trainer import load_tuned, tune
from .trial import try_adapters

__all__ = [
    "HELDOUT_LOSS_SCHEMA",
    "SUMMARY_FILE",
    "Base",
    "TuneRecipe",
    "attending",
    "batch_loss",
    "causal_model",
    "flatten",
    "heldout_loss",
    "load_tuned",
    "row_losses",
    "try_adapters",
    "tune",
]
