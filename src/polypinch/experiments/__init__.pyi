from .experiment import Experiment, Shown
from .exposure.disclosed import read_exposure
from .listing import EXPERIMENTS, EXPORTS, measure_experiments, parts_of
from .measured import Costs, read_costs
from .sentences import headline

__all__ = [
    "EXPERIMENTS",
    "EXPORTS",
    "Costs",
    "Experiment",
    "Shown",
    "headline",
    "measure_experiments",
    "parts_of",
    "read_costs",
    "read_exposure",
]
