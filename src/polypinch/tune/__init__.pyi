from .base import Base
from .loss import HELDOUT_LOSS_SCHEMA, heldout_loss
from .recipe import TuneRecipe
from .trainer import load_tuned, tune

__all__ = ["HELDOUT_LOSS_SCHEMA", "Base", "TuneRecipe", "heldout_loss", "load_tuned", "tune"]
