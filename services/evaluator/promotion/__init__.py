"""The promotion engine: carts and campaigns in, decisions out. No I/O, no clock, no logging."""

from services.evaluator.promotion.basket import Basket, PresentedCode
from services.evaluator.promotion.decision import decide, judge
from services.evaluator.promotion.limits import Claim, Limit
from services.evaluator.promotion.ruleset import Considered, Ruleset
from services.evaluator.promotion.verdict import (
    DecidedLine,
    Granted,
    InstrumentName,
    NearMiss,
    Refused,
    UnusedCode,
    Verdict,
)

__all__ = [
    "Basket",
    "Claim",
    "Considered",
    "DecidedLine",
    "Granted",
    "InstrumentName",
    "Limit",
    "NearMiss",
    "PresentedCode",
    "Refused",
    "Ruleset",
    "UnusedCode",
    "Verdict",
    "decide",
    "judge",
]
