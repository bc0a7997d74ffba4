from .answers import answer
from .engine import Completion, Engine, TransformersEngine
from .engines import open_engine, require_engine
from .http import HttpEngine
from .sampling import EngineName, Sampling
from .table import ANSWER_SCHEMA, ANSWERS_FILE

__all__ = [
    "ANSWERS_FILE",
    "ANSWER_SCHEMA",
    "Completion",
    "Engine",
    "EngineName",
    "HttpEngine",
    "Sampling",
    "TransformersEngine",
    "answer",
    "open_engine",
    "require_engine",
]
