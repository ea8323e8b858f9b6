"""The promotion engine: carts and campaigns in, decisions out. No I/O, no clock, no logging."""

from services.evaluator.promotion.basket import Basket, PresentedCode
from services.evaluator.promotion.decision import (
    DecidedLine,
    Granted,
    NearMiss,
    Refused,
    Verdict,
    decide,
    judge,
)
from services.evaluator.promotion.limits import Claim, Limit
from services.evaluator.promotion.ruleset import Considered, Ruleset

__all__ = [
    "Basket",
    "Claim",
    "Considered",
    "DecidedLine",
    "Granted",
    "Limit",
    "NearMiss",
    "PresentedCode",
    "Refused",
    "Ruleset",
    "Verdict",
    "decide",
    "judge",
]
