from .checks import Check, Doubt, check_turns
from .lengths import usual_lengths
from .marks import Marks, marks

__all__ = ["Check", "Doubt", "Marks", "check_turns", "marks", "usual_lengths"]
