"""Answering: prompts in, a table of answers out."""

from polypinch.answer.answers import ANSWER_SCHEMA, answer
from polypinch.answer.engine import Completion, Engine, TransformersEngine
from polypinch.answer.http import HttpEngine
from polypinch.answer.sampling import Sampling

__all__ = ["ANSWER_SCHEMA", "Completion", "Engine", "HttpEngine", "Sampling", "TransformersEngine", "answer"]
