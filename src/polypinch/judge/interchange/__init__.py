"""AlpacaEval's and FastChat's files in and out, so that results can be checked with those tools.

Answers are in ``answers``, apart from verdicts, since it loads what answers.
"""

from polypinch.judge.interchange.alpaca_eval import pair_annotations, read_annotations, write_alpaca_eval
from polypinch.judge.interchange.fastchat import pair_judgments, read_pair_judgments, write_json_lines
from polypinch.judge.interchange.reading import read_judged

__all__ = [
    "pair_annotations",
    "pair_judgments",
    "read_annotations",
    "read_judged",
    "read_pair_judgments",
    "write_alpaca_eval",
    "write_json_lines",
]
