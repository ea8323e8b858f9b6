"""The promotion engine: carts and campaigns in, decisions out. No I/O, no clock, no logging."""

from services.evaluator.promotion.basket import Basket, PresentedCode
from services.evaluator.promotion.decision import DecidedLine, Granted, Refused, Verdict, decide
from services.evaluator.promotion.limits import Limit
from services.evaluator.promotion.ruleset import Ruleset

__all__ = [
    "Basket",
    "DecidedLine",
    "Granted",
    "Limit",
    "PresentedCode",
    "Refused",
    "Ruleset",
    "Verdict",
    "decide",
]
