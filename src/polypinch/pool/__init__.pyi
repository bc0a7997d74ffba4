from .builtin import pinch12_items
from .check import check_pool
from .findings import Check, CheckReport, Finding
from .importing import Imported, ImportOptions, import_pool
from .opening import open_pool
from .pool import Pool
from .summary import summary
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
