"""A segment as one plain sentence, in English or Ukrainian. Pure."""

from services.customers.segments.sentence.clauses import sentence
from shared.wording import Language

__all__ = ["Language", "sentence"]
