"""Chat: templates, token spans, masks, and the pre-flight checks."""

from polypinch.chat.format import ChatFormat, Encoded, count_tokens
from polypinch.chat.preflight import Problem, check_rows

__all__ = ["ChatFormat", "Encoded", "Problem", "check_rows", "count_tokens"]
