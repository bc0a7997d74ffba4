"""Tuning: a mixture in, a checkpoint out; and the held-out loss of what came out."""

from polypinch.tune.base import Base
from polypinch.tune.loss import HELDOUT_LOSS_SCHEMA, heldout_loss
from polypinch.tune.recipe import TuneRecipe
from polypinch.tune.trainer import load_tuned, tune

__all__ = ["HELDOUT_LOSS_SCHEMA", "Base", "TuneRecipe", "heldout_loss", "load_tuned", "tune"]
