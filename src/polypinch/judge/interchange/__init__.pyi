from .alpaca_eval import pair_annotations, read_annotations, write_alpaca_eval
from .answers import model_answers, model_outputs, read_model_answers, read_model_outputs
from .fastchat import pair_judgments, read_pair_judgments, write_json_lines
from .reading import read_judged

__all__ = [
    "model_answers",
    "model_outputs",
    "pair_annotations",
    "pair_judgments",
    "read_annotations",
    "read_judged",
    "read_model_answers",
    "read_model_outputs",
    "read_pair_judgments",
    "write_alpaca_eval",
    "write_json_lines",
]
