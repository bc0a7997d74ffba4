from .builtin import PINCH12, PINCH25, pinch12_items
from .check import check_pool
from .exporting import export_pool
from .findings import Check, CheckReport, Finding
from .importing import Imported, ImportOptions, import_pool
from .layouts import with_context
from .opening import open_pool
from .pool import Pool
from .rows import Found
from .summaries import summary
from .table import MESSAGES, ORIGINS, POOL_SCHEMA, SPLITS
from .texts import long_enough, missing_numbers, numbers, prose, sentences

__all__ = [
    "MESSAGES",
    "ORIGINS",
    "PINCH12",
    "PINCH25",
    "POOL_SCHEMA",
    "SPLITS",
    "Check",
    "CheckReport",
    "Finding",
    "Found",
    "ImportOptions",
    "Imported",
    "Pool",
    "check_pool",
    "export_pool",
    "import_pool",
    "long_enough",
    "missing_numbers",
    "numbers",
    "open_pool",
    "pinch12_items",
    "prose",
    "sentences",
    "summary",
    "with_context",
]
