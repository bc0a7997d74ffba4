from .counts import Counter, TokenCount
from .export import export
from .mixture import MIXTURE_SCHEMA, Mixture, make_mixture, quotas
from .plan import Budget, Dose, MixPlan, monolingual, pair, pinch, uniform

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
