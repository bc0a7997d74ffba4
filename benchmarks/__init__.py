"""Benchmarks against peers at the same work: ``python -m benchmarks --help``."""
