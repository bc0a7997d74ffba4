from .cost import Cost, estimate_cost
from .presets import PRESETS, Preset, preset
from .setup import (
    SIZES,
    Setup,
    Size,
    Stock,
    set_up,
    take_stock,
)
from .writing import as_yaml, everything

__all__ = [
    "PRESETS",
    "SIZES",
    "Cost",
    "Preset",
    "Setup",
    "Size",
    "Stock",
    "as_yaml",
    "estimate_cost",
    "everything",
    "preset",
    "set_up",
    "take_stock",
]
