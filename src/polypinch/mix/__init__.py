"""Mixtures: from a plan to rows in order, with a manifest of requested against delivered."""

from polypinch.mix.counts import Counter, TokenCount
from polypinch.mix.export import export
from polypinch.mix.mixture import MIXTURE_SCHEMA, Mixture, make_mixture, quotas
from polypinch.mix.plan import Budget, Dose, MixPlan, monolingual, pair, pinch, uniform

__all__ = [
    "MIXTURE_SCHEMA",
    "Budget",
    "Counter",
    "Dose",
    "MixPlan",
    "Mixture",
    "TokenCount",
    "export",
    "make_mixture",
    "monolingual",
    "pair",
    "pinch",
    "quotas",
    "uniform",
]
