"""The pool: instruction rows parallel across languages, formats in, checks, and the built-in pinch12."""

from polypinch.pool.builtin import pinch12_items
from polypinch.pool.check import check_pool
from polypinch.pool.findings import Check, CheckReport, Finding
from polypinch.pool.importing import Imported, ImportOptions, import_pool
from polypinch.pool.opening import open_pool
from polypinch.pool.pool import Pool
from polypinch.pool.summary import summary
from polypinch.pool.table import (
    MESSAGES,
    ORIGINS,
    POOL_SCHEMA,
    SPLITS,
    Message,
    Messages,
    instruction,
    prompt,
    response,
)

__all__ = [
    "MESSAGES",
    "ORIGINS",
    "POOL_SCHEMA",
    "SPLITS",
    "Check",
    "CheckReport",
    "Finding",
    "ImportOptions",
    "Imported",
    "Message",
    "Messages",
    "Pool",
    "check_pool",
    "import_pool",
    "instruction",
    "open_pool",
    "pinch12_items",
    "prompt",
    "response",
    "summary",
]
