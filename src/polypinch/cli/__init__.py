"""The command line: parse, call, print. No logic."""

import os

# tqdm reads this when it is imported; our own bars show the time left of a whole step.
os.environ.setdefault("TQDM_DISABLE", "1")

from polypinch.cli.app import app, main

__all__ = ["app", "main"]
