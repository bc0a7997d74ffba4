from .dataset import load_mixture
from .encoded import Encoded, EncodedRows
from .format import ChatFormat, count_tokens
from .preflight import Problem, check_rows, encode_with_keys, notices

__all__ = [
    "ChatFormat",
    "Encoded",
    "EncodedRows",
    "Problem",
    "check_rows",
    "count_tokens",
    "encode_with_keys",
    "load_mixture",
    "notices",
]
