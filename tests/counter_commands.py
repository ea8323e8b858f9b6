"""What tills can say to the counter, and what it can answer: the language of ``counter_model``."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

TEN, POINTS = "ten", "points"
REWARD = 60
SHARE = 2
"""Points pay at most one minor unit in so many."""
BOUGHT = 2_000
"""Every line is two pieces."""


@dataclass(frozen=True)
class Plan:
    """The campaign's caps. ``keeps``: a returned sale keeps its slot of the 10%."""

    code: int = 3
    in_all: int = 4
    each: int | None = 2
    budget: int = 4_000
    altogether: int = 6
    rewards: int = 3
    keeps: bool = False


@dataclass(frozen=True)
class Ask:
    """What lies in a cart: lines' amounts, and the points that the customer wants to pay with."""

    customer: str | None
    code: bool
    lines: tuple[int, ...]
    pay: int = 0


@dataclass(frozen=True)
class Checkout:
    receipt: str
    revision: int
    ask: Ask
    intent: Literal["checkout", "quote", "cancel"] = "checkout"


@dataclass(frozen=True)
class Sale:
    """``ask.pay`` points were taken as payment; ``gave``: what was given as the 10% (None: not named)."""

    receipt: str
    ask: Ask
    gave: int | None


@dataclass(frozen=True)
class Order:
    """By a receipt's id alone: pay as it was decided (and ``pay`` points), or ``cancel``."""

    receipt: str
    cancel: bool = False
    pay: int = 0


@dataclass(frozen=True)
class Return:
    """So much (thousandths) of lines, from 1 on; nothing = all that is left."""

    receipt: str
    lines: tuple[tuple[int, int], ...] = ()


Command = Checkout | Sale | Order | Return


@dataclass(frozen=True)
class Refused:
    reason: str


@dataclass(frozen=True)
class Decided:
    """``refused``: instruments that gave nothing, each with (reason, limit, what is left of it); any will do."""

    outcome: str
    discount: int = 0
    points: int = 0
    held: int = 0
    payable: int = 0
    refused: Mapping[str, frozenset[tuple[str, str | None, int | None]]] = field(
        default_factory=dict
    )


@dataclass(frozen=True)
class Sold:
    """``uses``: instrument, status, discount, points, mismatch."""

    uses: frozenset[tuple[str, str, int, int, int]]
    paid: int
    unauthorised: int


@dataclass(frozen=True)
class Back:
    """``uses``: instrument, status, whether its slot is free again, discount and points taken back."""

    refund: int
    points: int
    complete: bool
    uses: frozenset[tuple[str, str, bool, int, int]]


Answer = Refused | Decided | Sold | Back


def spread(discount: int, ask: Ask) -> list[int]:
    """How a till spreads what it gives over its lines: in proportion, the rest on the first."""
    shares = [discount * amount // sum(ask.lines) for amount in ask.lines]
    shares[0] += discount - sum(shares)
    return shares
