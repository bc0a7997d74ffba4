from .answers import ANSWER_SCHEMA, answer
from .engine import Completion, Engine, TransformersEngine
from .http import HttpEngine
from .sampling import Sampling

__all__ = [
    "ANSWER_SCHEMA",
    "Completion",
    "Engine",
    "HttpEngine",
    "Sampling",
    "TransformersEngine",
    "answer",
]
