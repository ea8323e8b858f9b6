"""A customer's bonus account: lots of points that become active, are held, spent, and expire. Pure.

Functions of values that return the account as it is then, with the movements of the ledger that this
caused. The sum of a customer's entries is always what remains of the lots less the debt.

- Oldest first: the order is that in which lots became active; of those that did at once, the one
  that expires first goes first (else it would be lost while the others wait), then by name.
- A hold takes its points of particular lots. They wait for the receipt: they neither expire nor pay a
  debt until the hold ends.
- A debt is what was taken back and was not there. Points that are active pay it first, oldest first;
  only what is left of a lot at its end expires.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from services.evaluator.bonuses import Cause, Movement, campaign_account, movement

_NEVER = datetime.max.replace(tzinfo=UTC)


class Lot(msgspec.Struct, frozen=True):
    """Points of one entry. ``points`` are what remains of them, ``held`` of these wait for receipts.

    ``returnable`` is what returns of the sale that earned them may still take back: neither what they
    took before nor what has expired, which the campaign has got back already.
    """

    lot_id: str
    campaign_id: str
    points: int
    active_at: datetime
    expires_at: datetime | None = None
    held: int = 0
    returnable: int = 0

    @property
    def free(self) -> int:
        """What remains and waits for no receipt."""
        return self.points - self.held


class Part(NamedTuple):
    """Points of one lot that pay on a receipt; ``left``: how long they had to live when taken."""

    lot_id: str
    campaign_id: str
    points: int
    left: timedelta | None


Parts = tuple[Part, ...]


class Account(msgspec.Struct, frozen=True):
    """A customer's lots, oldest first; those that are used up may be missing. ``debt``: points."""

    customer_id: str
    lots: tuple[Lot, ...] = ()
    debt: int = 0


class Funds(NamedTuple):
    """What a customer has: the ``balance``, what of it is ``available``, and what is ``held`` for open receipts."""

    balance: int
    available: int
    held: int


Moved = tuple[Account, list[Movement]]


def account_of(customer_id: str, lots: Iterable[Lot], debt: int = 0) -> Account:
    """The account with these lots, brought into their order."""
    return Account(customer_id, tuple(sorted(lots, key=_age)), debt)


def settled(account: Account, now: datetime) -> Moved:
    """The account at an instant: active lots have paid the debt, and what was over has expired."""
    debt, movements, lots = account.debt, [], list(account.lots)
    for position, lot in enumerate(lots):
        if lot.active_at > now:
            break  # as are all that follow
        ended = lot.expires_at is not None and lot.expires_at <= now
        if not (debt or ended) or not lot.free:
            continue
        paid = min(lot.free, debt)
        over = lot.free - paid if ended else 0
        debt -= paid
        lots[position] = after = replace(
            lot, points=lot.points - paid - over, returnable=max(0, lot.returnable - over)
        )
        if over:
            movements.append(_expiry(account, after, over, lot.expires_at or now, now))
    if debt == account.debt and not movements:
        return account, []
    return replace(account, lots=tuple(lots), debt=debt), movements


def balance(account: Account, now: datetime) -> int:
    """Active points less the debt; what is held for open receipts counts until it is spent."""
    account, _ = settled(account, now)
    return sum(lot.points for lot in account.lots if lot.active_at <= now) - account.debt


def available(account: Account, now: datetime) -> int:
    """What can be paid with: the balance less what is held, never below zero."""
    account, _ = settled(account, now)
    # While there is a debt, no active points are free.
    return sum(lot.free for lot in account.lots if lot.active_at <= now)


def held(account: Account) -> int:
    """Points held for open receipts."""
    return sum(lot.held for lot in account.lots)


def funds(account: Account, now: datetime) -> Funds:
    """What there is in an account."""
    return Funds(balance(account, now), available(account, now), held(account))


def accrue(account: Account, lot: Lot, cause: Cause, now: datetime) -> Moved:
    """The customer gets the points of a lot, from its campaign; a return may take them back."""
    account, before = settled(account, now)
    span = lot.active_at, lot.expires_at
    against = campaign_account(lot.campaign_id)
    accrued = movement(
        "accrual", lot.lot_id, account.customer_id, lot.points, against, cause, now, span
    )
    account, after = settled(_with(account, [replace(lot, returnable=lot.points)]), now)
    return account, [*before, accrued, *after]


def hold(
    account: Account, wanted: int, now: datetime, before: Parts = ()
) -> tuple[Account, Parts, list[Movement]]:
    """Hold points for a receipt, as many of those wanted as there are; the parts say which.

    What was held for it ``before`` is kept as far as it is still wanted; the rest is free again.
    """
    kept, surplus = divided(before, wanted)
    account, movements = release(account, surplus, now)
    missing = wanted - amount(kept)
    fresh: list[Part] = []
    for lot in account.lots:
        points = min(lot.free, missing) if lot.active_at <= now else 0
        if points:
            left = None if lot.expires_at is None else lot.expires_at - now
            fresh.append(Part(lot.lot_id, lot.campaign_id, points, left))
            missing -= points
    return (
        _changed(account, fresh, lambda lot, n: (lot.points, lot.held + n)),
        (*kept, *fresh),
        movements,
    )


def release(account: Account, parts: Parts, now: datetime) -> Moved:
    """Free what is held; it pays a debt, and expires if its end has come meanwhile."""
    return settled(_changed(account, parts, lambda lot, n: (lot.points, lot.held - n)), now)


def spend(account: Account, parts: Parts) -> Account:
    """Pay with what is held. The movement is the payment's to make: it knows where."""
    return _changed(account, parts, lambda lot, n: (lot.points - n, lot.held - n))


def refund(account: Account, lots: Sequence[Lot], now: datetime) -> Moved:
    """Take in points that had been paid with, as lots of their own; they pay a debt first.

    As with ``spend``, the movements of the refund itself are the payment's. No return takes them
    back: of the sale that once earned them, it is the first lot that counts.
    """
    account, before = settled(account, now)
    account, after = settled(_with(account, lots), now)
    return account, [*before, *after]


def take_back(
    account: Account, lot_id: str, points: int, entry_id: str, cause: Cause, now: datetime
) -> Moved:
    """Take back what a returned sale had earned, at most what may still be taken of its lot.

    First of that lot, also before it is active, then of the others that are, oldest first; what is
    held for an open receipt is left to that. The rest is debt. Of a lot that was never given nothing
    is taken.
    """
    account, movements = settled(account, now)
    lots = {lot.lot_id: lot for lot in account.lots}
    own = lots.get(lot_id)
    due = missing = min(points, own.returnable) if own else 0
    if own is None or not due:
        return account, movements
    lots[lot_id] = replace(own, returnable=own.returnable - due)
    others = [i for i, lot in lots.items() if i != lot_id and lot.active_at <= now]
    for name in (lot_id, *others):
        taken = min(lots[name].free, missing)
        if taken:
            lots[name] = replace(lots[name], points=lots[name].points - taken)
            missing -= taken
    against = campaign_account(own.campaign_id)
    taken_back = movement("take_back", entry_id, account.customer_id, -due, against, cause, now)
    after = replace(account, lots=tuple(lots.values()), debt=account.debt + missing)
    return after, [*movements, taken_back]


def forfeited(account: Account, now: datetime) -> Moved:
    """The account once nobody can use it any more: what is free, active or not, goes back to its campaigns."""
    account, movements = settled(account, now)
    lots = list(account.lots)
    for position, lot in enumerate(lots):
        if lot.free:
            left = max(0, lot.returnable - lot.free)
            lots[position] = replace(lot, points=lot.held, returnable=left)
            movements.append(_expiry(account, lots[position], lot.free, now, now))
    return replace(account, lots=tuple(lots)), movements


def amount(parts: Iterable[Part]) -> int:
    """How many points the parts are."""
    return sum(part.points for part in parts)


def divided(parts: Parts, points: int) -> tuple[Parts, Parts]:
    """The first so many points of the parts, and the rest."""
    first: list[Part] = []
    rest: list[Part] = []
    for part in parts:
        of_first = min(part.points, points)
        points -= of_first
        if of_first:
            first.append(part._replace(points=of_first))
        if of_first < part.points:
            rest.append(part._replace(points=part.points - of_first))
    return tuple(first), tuple(rest)


def _age(lot: Lot) -> tuple[datetime, datetime, str]:
    return lot.active_at, lot.expires_at or _NEVER, lot.lot_id


def _with(account: Account, lots: Iterable[Lot]) -> Account:
    return account_of(account.customer_id, [*account.lots, *lots], account.debt)


def _changed(
    account: Account, parts: Iterable[Part], change: Callable[[Lot, int], tuple[int, int]]
) -> Account:
    """``change`` gives points and held points of a lot of which a part has so many."""
    lots = {lot.lot_id: lot for lot in account.lots}
    for part in parts:
        points, held = change(lots[part.lot_id], part.points)
        lots[part.lot_id] = replace(lots[part.lot_id], points=points, held=held)
    return replace(account, lots=tuple(lots.values()))


def _expiry(account: Account, lot: Lot, points: int, at: datetime, now: datetime) -> Movement:
    """``lot`` is as it is after it: what was held expires later, under another name."""
    name = f"x-{lot.lot_id}" + (f"-{lot.points}" if lot.points else "")
    cause = Cause(occurred_at=at, campaign_id=lot.campaign_id)
    against = campaign_account(lot.campaign_id)
    return movement("expiry", name, account.customer_id, -points, against, cause, now)
