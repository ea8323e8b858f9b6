"""A segment as one plain sentence, in English or Ukrainian. Pure."""

from services.customers.segments.sentence.clauses import sentence
from services.customers.segments.sentence.writer import Language

__all__ = ["Language", "sentence"]
