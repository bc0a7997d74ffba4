"""The paper's experiments, and those it leaves open, as studies: Shaham et al. (2024), arXiv 2401.01854."""

from polypinch.study.paper.ask import SIZES, Ask, Size, Stock, make_ask, take_stock
from polypinch.study.paper.cost import Cost, estimate_cost
from polypinch.study.paper.experiments import EXPERIMENTS, Experiment, experiment
from polypinch.study.paper.writing import as_yaml

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
    "experiment",
    "make_ask",
    "take_stock",
]
