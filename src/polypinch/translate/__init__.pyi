from .checks import Check, Doubt, check_turns
from .kept import Marks, marks
from .lengths import usual_lengths
from .prompting import Glossary, TranslationPrompt, load_glossary, load_prompt
from .seq2seq import LocalTranslator
from .server import ServerTranslator
from .sheet import read_sheet, sheets, write_sheet
from .translating import (
    MOST_TRIES,
    POOL,
    TRIES,
    Checker,
    LanguageLine,
    Translated,
    Translator,
    finish,
    is_settled,
    translate_rows,
)
from .tries import Tries, Try
from .wanted import Wanted, wanted_by_plan, wanted_of_pool

__all__ = [
    "MOST_TRIES",
    "POOL",
    "TRIES",
    "Check",
    "Checker",
    "Doubt",
    "Glossary",
    "LanguageLine",
    "LocalTranslator",
    "Marks",
    "ServerTranslator",
    "Translated",
    "TranslationPrompt",
    "Translator",
    "Tries",
    "Try",
    "Wanted",
    "check_turns",
    "finish",
    "is_settled",
    "load_glossary",
    "load_prompt",
    "marks",
    "read_sheet",
    "sheets",
    "translate_rows",
    "usual_lengths",
    "wanted_by_plan",
    "wanted_of_pool",
    "write_sheet",
]
