from .builtin import PINCH12, pinch12_items
from .check import check_pool
from .findings import Check, CheckReport, Finding
from .formats import SUFFIXES, read_rows
from .importing import Imported, ImportOptions, import_pool
from .layouts import RowError, with_context
from .opening import open_pool
from .pool import Pool
from .rows import Found
from .summaries import summary
from .table import (
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
    "PINCH12",
    "POOL_SCHEMA",
    "SPLITS",
    "SUFFIXES",
    "Check",
    "CheckReport",
    "Finding",
    "Found",
    "ImportOptions",
    "Imported",
    "Message",
    "Messages",
    "Pool",
    "RowError",
    "check_pool",
    "import_pool",
    "instruction",
    "open_pool",
    "pinch12_items",
    "prompt",
    "read_rows",
    "response",
    "summary",
    "with_context",
]
