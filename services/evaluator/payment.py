"""A receipt's payment with bonus points: held → spent → returned, or held → released / expired. Pure.

One point pays one minor unit. A hold is a promise: what is held may be spent also when points were
taken back meanwhile. Beyond that nothing is spent but what is there.
"""

from datetime import datetime
from typing import Literal

import msgspec
from msgspec.structs import replace

from services.evaluator import account as points_account
from services.evaluator.account import Account, Lot, Parts, amount, divided
from services.evaluator.bonuses import Cause, Movement, entry_id, movement, store_account
from services.evaluator.promotion.allocation import BASIS_POINTS, round_half_up

Status = Literal["held", "spent", "returned", "released", "expired"]


class Payment(msgspec.Struct, frozen=True):
    """Points of a customer that pay on a receipt, oldest first.

    ``refunded`` of them have come back so far. A hold lasts until ``expires_at``.
    """

    receipt_id: str
    customer_id: str
    store_id: str
    status: Status = "released"
    parts: Parts = ()
    refunded: int = 0
    expires_at: datetime | None = None

    @property
    def points(self) -> int:
        """How many are held, or were paid."""
        return amount(self.parts)

    @property
    def held(self) -> Parts:
        """What it holds now."""
        return self.parts if self.status == "held" else ()

    def held_of(self, customer_id: str) -> int:
        """How many points of the customer's it holds now: what is free for its own receipt."""
        return amount(self.held) if self.customer_id == customer_id else 0


class Points(msgspec.Struct, frozen=True, array_like=True):
    """What a customer has when a receipt is decided, its own hold counted as free.

    ``share`` (basis points) of the receipt may be paid with points.
    """

    balance: int
    available: int
    share: int

    def payable(self, to_pay: int) -> int:
        """How many points may pay on a receipt of so many minor units."""
        return payable(self.available, self.share, to_pay)


Changed = tuple[Account, Payment, list[Movement]]
"""The account and the payment as they are then, and what moved."""


def payable(available: int, share: int, to_pay: int) -> int:
    """How many points may pay: at most ``share`` (basis points) of ``to_pay``, rounded down."""
    return max(0, min(available, to_pay * share // BASIS_POINTS))


def hold(
    account: Account, payment: Payment, wanted: int, expires_at: datetime, now: datetime
) -> Changed:
    """Hold as many of the points wanted as there are; what it held before is kept as far as possible."""
    account, parts, movements = points_account.hold(account, wanted, now, payment.held)
    status: Status = "held" if parts else "released"
    after = replace(payment, status=status, parts=parts, expires_at=expires_at if parts else None)
    return account, after, movements


def release(
    account: Account, payment: Payment, status: Literal["released", "expired"], now: datetime
) -> Changed:
    """End a hold, if there is one; its points are free again."""
    if payment.status != "held":
        return account, payment, []
    account, movements = points_account.release(account, payment.parts, now)
    return account, replace(payment, status=status, parts=(), expires_at=None), movements


def spend(
    account: Account, payment: Payment, wanted: int, occurred_at: datetime, now: datetime
) -> Changed:
    """Pay as many of the points wanted as there are: those that are held first, then free ones.

    The payment says how many. What was held and is not needed is free again.
    """
    account, parts, movements = points_account.hold(account, wanted, now, payment.held)
    paid = replace(payment, status="spent" if parts else "released", parts=parts, expires_at=None)
    if not parts:
        return account, paid, movements
    cause = Cause(occurred_at=occurred_at, receipt_id=payment.receipt_id)
    name = entry_id("s", payment.receipt_id)
    against = store_account(payment.store_id)
    spent = movement("spend", name, payment.customer_id, -paid.points, against, cause, now)
    return points_account.spend(account, parts), paid, [*movements, spent]


def refund(
    account: Account,
    payment: Payment,
    refunded: int,
    paid: int,
    return_id: str,
    occurred_at: datetime,
    now: datetime,
    most: int,
) -> Changed:
    """Give points back for a return, at most so many: the same share of them as of the money.

    ``refunded`` of the receipt's ``paid`` (minor units, points included) have come back over all its
    returns, this one included; so that parts add up, the points that are due by now are worked out from
    all. The youngest come back first, as lots of their own that are active at once and live as long
    as they would have when they were taken: for what is paid and returned time stands still, so that
    nobody loses points by a return, nor wins time beyond that.
    """
    due = round_half_up(payment.points * refunded, paid) if paid else 0
    points = max(0, min(due - payment.refunded, most))
    if not points or payment.status != "spent":
        return account, payment, []
    _, rest = divided(payment.parts[::-1], payment.refunded)
    back, _ = divided(rest, points)
    name = entry_id("f", payment.receipt_id, return_id)
    lots = [
        Lot(
            lot_id=f"{name}-{n}",
            campaign_id=part.campaign_id,
            points=part.points,
            active_at=now,
            expires_at=None if part.left is None else now + part.left,
        )
        for n, part in enumerate(back)
    ]
    movements = [_refund(payment, lot, occurred_at) for lot in lots]
    account, settled = points_account.refund(account, lots, now)
    returned = payment.refunded + points
    status: Status = "returned" if returned == payment.points else "spent"
    return account, replace(payment, refunded=returned, status=status), [*movements, *settled]


def _refund(payment: Payment, lot: Lot, occurred_at: datetime) -> Movement:
    return movement(
        "refund",
        lot.lot_id,
        payment.customer_id,
        lot.points,
        store_account(payment.store_id),
        Cause(occurred_at=occurred_at, receipt_id=payment.receipt_id, campaign_id=lot.campaign_id),
        lot.active_at,
        (lot.active_at, lot.expires_at),
    )
