"""Conditions: what a cart must have, compiled to checks that answer with the reason and the gap."""

from services.evaluator.promotion.conditions.check import Check, Terms
from services.evaluator.promotion.conditions.combination import (
    all_of,
    compile_condition,
    first_failure,
)
from services.evaluator.promotion.conditions.multiples import Multiple, compile_multiple
from services.evaluator.promotion.conditions.requirements import required_keys

__all__ = [
    "Check",
    "Multiple",
    "Terms",
    "all_of",
    "compile_condition",
    "compile_multiple",
    "first_failure",
    "required_keys",
]
