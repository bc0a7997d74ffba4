from .all import experiments, headline, read_costs, read_exposure
from .sections import (
    STEMS,
    TABLES,
    Numbers,
    Part,
    Picture,
    experiment_parts,
)

__all__ = [
    "STEMS",
    "TABLES",
    "Numbers",
    "Part",
    "Picture",
    "experiment_parts",
    "experiments",
    "headline",
    "read_costs",
    "read_exposure",
]
