"""Chat: templates, token spans, masks, and the pre-flight checks."""

from polypinch.chat.encoded import Encoded, EncodedRows
from polypinch.chat.format import ChatFormat, count_tokens
from polypinch.chat.preflight import Problem, check_rows, encode_with_keys

__all__ = [
    "ChatFormat",
    "Encoded",
    "EncodedRows",
    "Problem",
    "check_rows",
    "count_tokens",
    "encode_with_keys",
]
