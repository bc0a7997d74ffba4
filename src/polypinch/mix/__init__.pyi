from .counts import Counter, TokenCount
from .exporting import TrainerFormat, export
from .leakage import normalised
from .mixture import MANIFEST_FILE, MIXTURE_FILE, MIXTURE_SCHEMA, Mixture, make_mixture, quotas
from .plan import (
    Budget,
    Dose,
    MixPlan,
    amount_text,
    monolingual,
    pair,
    pinch,
    pools_named,
    uniform,
)
from .select import available, first_items

__all__ = [
    "MANIFEST_FILE",
    "MIXTURE_FILE",
    "MIXTURE_SCHEMA",
    "Budget",
    "Counter",
    "Dose",
    "MixPlan",
    "Mixture",
    "TokenCount",
    "TrainerFormat",
    "amount_text",
    "available",
    "export",
    "first_items",
    "make_mixture",
    "monolingual",
    "normalised",
    "pair",
    "pinch",
    "pools_named",
    "quotas",
    "uniform",
]
