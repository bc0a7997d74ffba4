from .answers import answer
from .engine import Completion, Engine, TransformersEngine
from .http import HttpEngine
from .sampling import Sampling
from .table import ANSWER_SCHEMA, ANSWERS_FILE

__all__ = [
    "ANSWERS_FILE",
    "ANSWER_SCHEMA",
    "Completion",
    "Engine",
    "HttpEngine",
    "Sampling",
    "TransformersEngine",
    "answer",
]
