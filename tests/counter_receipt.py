"""A receipt as the model of the counter has it: its uses of the campaign, what was paid, what came back."""

from dataclasses import dataclass, field
from typing import Literal

from tests.counter_commands import Ask, Checkout, Decided

Status = Literal["held", "committed", "released", "expired", "unauthorised", "returned"]


@dataclass
class Use:
    """A redemption. ``takes``: of each limit, while it is in force; ``back``, ``points_back``: came back."""

    status: Status
    discount: int
    points: int
    takes: dict[str, int]
    mismatch: int = 0
    back: int = 0
    points_back: int = 0

    @property
    def figures(self) -> tuple[str | int, ...]:
        """What matters of it in its state."""
        own = self.discount, self.points, self.mismatch, self.back, self.points_back
        return figures(self.status, *own)


def figures(status: str, *own: int) -> tuple[str | int, ...]:
    """What is over has no figures that matter; of what was given without right only the discount does."""
    if status in ("released", "expired"):
        return (status,)
    return (status, *(own[:1] if status == "unauthorised" else own))


@dataclass
class Receipt:
    """``due`` and ``entitled`` are as it was decided last; ``hold``: points held, and whose."""

    revision: int = -1
    state: Literal["open", "cancelled", "paid"] = "open"
    ask: Ask | None = None
    last: Checkout | None = None
    answer: Decided | None = None
    entitled: list[str] = field(default_factory=list)
    due: int = 0
    shares: tuple[int, ...] = ()
    uses: dict[str, Use] = field(default_factory=dict)
    hold: tuple[str, int] | None = None
    customer: str | None = None
    paid: tuple[int, ...] = ()
    points_paid: int = 0
    points_refunded: int = 0
    returned: dict[int, int] = field(default_factory=dict)
    refunded: dict[int, int] = field(default_factory=dict)


def part(amount: int, some: int, whole: int) -> int:
    """The part of an amount, half up."""
    return (amount * some * 2 + whole) // (whole * 2)
