from .ask import (
    SIZES,
    Ask,
    Size,
    Stock,
    make_ask,
    take_stock,
)
from .cost import Cost, estimate_cost
from .experiments import EXPERIMENTS, Experiment, experiment
from .writing import as_yaml, everything

__all__ = [
    "EXPERIMENTS",
    "SIZES",
    "Ask",
    "Cost",
    "Experiment",
    "Size",
    "Stock",
    "as_yaml",
    "estimate_cost",
    "everything",
    "experiment",
    "make_ask",
    "take_stock",
]
