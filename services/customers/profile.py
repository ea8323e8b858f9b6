"""A customer's profile: a window of visits and totals of all time, folded from what happened.

Visits are kept for ``KEPT_DAYS`` before the latest one, ``MOST_VISITS`` at most; what is older is in the totals
only. Whatever order receipts and returns come in, the profile is the same: visits are ordered by their time, and one
that came back as a whole stays, marked, so that it goes when it would have gone.
Money in minor units, quantities in thousandths, times in whole seconds since 1970 (UTC).
"""

from bisect import insort
from collections.abc import Iterable, Iterator
from datetime import datetime
from hashlib import blake2b

import msgspec
from msgspec import Struct

from services.customers.messages import BonusEntry, Receipt, Returned
from services.customers.store_clock import offset_minutes

KEPT_DAYS = 400
"""As long as a receipt may be returned."""
MOST_VISITS = 1_000
"""Of one customer: a card that a store's cashiers use for everybody must not grow without end."""
DAY_S = 24 * 3600


class Bought(Struct, array_like=True, gc=False):
    """What was bought of a group on a visit, less what came back; ``group`` indexes the state's names."""

    group: int
    quantity: int
    paid: int


class Visit(Struct, array_like=True, order=True):
    """A purchase. ``store``, ``device`` and ``currency`` index the state's names; ``receipt`` is its id's hash.

    ``offset_minutes``: the store's clock, ahead of UTC. ``promo``: with a benefit of ours; ``with_code``: a promo code
    was used. ``returned``: all of it came back. ``paid`` and ``discount`` are less what came back.
    """

    at: int
    receipt: int
    store: int
    device: int
    currency: int
    offset_minutes: int
    paid: int
    discount: int
    promo: bool
    with_code: bool
    returned: bool
    goods: list[Bought]


class Spent(Struct, array_like=True):
    """Totals of all time in one currency."""

    purchases: int = 0
    discount: int = 0
    paid: int = 0
    refunded: int = 0


class Points(Struct, array_like=True):
    """Bonus points of all time."""

    earned: int = 0
    spent: int = 0
    expired: int = 0
    taken_back: int = 0
    balance: int = 0


class CodeCount(Struct, array_like=True):
    """Of one emission: codes that were given to the customer, and how often they used one."""

    offered: int = 0
    used: int = 0


class State(Struct, array_like=True):
    """What is kept of a customer. ``first_at``, ``latest_at`` and ``forgotten_at`` are also of purchases that came back.

    ``forgotten_at`` is when the latest visit was that is not among ``visits`` any more.
    """

    names: list[str] = msgspec.field(default_factory=list)
    visits: list[Visit] = msgspec.field(default_factory=list)
    spent: dict[str, Spent] = msgspec.field(default_factory=dict)
    codes: dict[str, CodeCount] = msgspec.field(default_factory=dict)
    points: Points = msgspec.field(default_factory=Points)
    purchases: int = 0
    promo_purchases: int = 0
    with_code: int = 0
    returns: int = 0
    first_at: int | None = None
    latest_at: int | None = None
    forgotten_at: int | None = None

    def live(self) -> Iterator[Visit]:
        """The visits that did not come back as a whole, oldest first."""
        return (visit for visit in self.visits if not visit.returned)


class Sold(Struct, array_like=True, gc=False):
    """A line as a return needs it: the group and its share of a receipt."""

    line: int
    group: str


class Kept(Struct, array_like=True, gc=False):
    """What is kept of a receipt: for returns, and for what is bought together. ``with_code``: used a promo code."""

    region: str
    store_id: str
    promo: bool
    with_code: bool
    lines: list[Sold]


_ENCODE = msgspec.msgpack.Encoder().encode
_STATE = msgspec.msgpack.Decoder(State).decode
_KEPT = msgspec.msgpack.Decoder(Kept).decode


def pack(state: State | Kept) -> bytes:
    """The state as it is stored."""
    return _ENCODE(state)


def unpack(packed: bytes) -> State:
    """The state as it was stored."""
    return _STATE(packed)


def unpack_kept(packed: bytes) -> Kept:
    """What was kept of a receipt."""
    return _KEPT(packed)


def kept(receipt: Receipt) -> Kept:
    """What of a receipt is needed later. Lines without a group belong to none."""
    return Kept(
        receipt.region,
        receipt.store_id,
        bool(_committed(receipt)),
        _with_code(receipt),
        [Sold(line.line, line.group or "") for line in receipt.lines],
    )


def seconds(at: datetime) -> int:
    """Whole seconds since 1970 (UTC)."""
    return int(at.timestamp())


def add_receipt(state: State, receipt: Receipt) -> None:
    """Add a purchase."""
    at = seconds(receipt.occurred_at)
    promo, with_code = bool(_committed(receipt)), _with_code(receipt)
    state.purchases += 1
    state.promo_purchases += promo
    state.with_code += with_code
    state.first_at = at if state.first_at is None else min(at, state.first_at)
    state.latest_at = at if state.latest_at is None else max(at, state.latest_at)
    spent = state.spent.setdefault(receipt.currency, Spent())
    spent.purchases += 1
    spent.discount += receipt.discount
    spent.paid += receipt.paid
    for emission_id in _emissions(receipt):
        state.codes.setdefault(emission_id, CodeCount()).used += 1
    insort(state.visits, _visit(state, receipt, at, promo=promo, with_code=with_code))
    _forget(state)


def add_return(state: State, returned: Returned, of: Kept) -> None:
    """Take back what was returned of a purchase that was added before."""
    spent = state.spent.setdefault(returned.currency, Spent())
    discount = sum(redemption.discount for redemption in returned.redemptions)
    state.returns += 1
    spent.refunded += returned.refund
    spent.discount -= discount
    if returned.complete:
        state.purchases -= 1
        spent.purchases -= 1
        state.promo_purchases -= of.promo
        state.with_code -= of.with_code
    for redemption in returned.redemptions:
        if redemption.emission_id and redemption.released:
            state.codes.setdefault(redemption.emission_id, CodeCount()).used -= 1
    visit = _found(state, seconds(returned.sold_at), receipt_number(returned.receipt_id))
    if visit is not None:
        visit.returned = visit.returned or returned.complete
        visit.paid -= returned.refund
        visit.discount -= discount
        _take_back_goods(state, visit, returned, of)


def add_bonus(state: State, entry: BonusEntry) -> None:
    """Add a movement of bonus points."""
    points = state.points
    points.balance += entry.points
    match entry.kind:
        case "accrual":
            points.earned += entry.points
        case "spend" | "refund":  # given back when a receipt that was paid with them is returned
            points.spent -= entry.points
        case "take_back":
            points.taken_back -= entry.points
        case "expiry":
            points.expired -= entry.points


def add_codes(state: State, emission_id: str, count: int) -> None:
    """Add personal codes that were given to the customer."""
    state.codes.setdefault(emission_id, CodeCount()).offered += count


def receipt_number(receipt_id: str) -> int:
    """A receipt's number among the visits of a customer."""
    return int.from_bytes(blake2b(receipt_id.encode(), digest_size=7).digest())


def _committed(receipt: Receipt) -> list[str]:
    return [r.instrument_id for r in receipt.redemptions if r.status == "committed"]


def _emissions(receipt: Receipt) -> list[str]:
    """The emissions whose codes were used, with as many entries as uses."""
    return [r.emission_id for r in receipt.redemptions if r.emission_id and r.status == "committed"]


def _with_code(receipt: Receipt) -> bool:
    return bool(_emissions(receipt))


def _visit(state: State, receipt: Receipt, at: int, *, promo: bool, with_code: bool) -> Visit:
    sums: dict[int, Bought] = {}
    for line in receipt.lines:
        index = _index(state, line.group or "")
        bought = sums.get(index)
        if bought is None:
            bought = sums[index] = Bought(index, 0, 0)
        bought.quantity += line.quantity
        bought.paid += line.amount - line.discount
    return Visit(
        at,
        receipt_number(receipt.receipt_id),
        _index(state, receipt.store_id),
        _index(state, receipt.device),
        _index(state, receipt.currency),
        offset_minutes(receipt),
        receipt.paid,
        receipt.discount,
        promo,
        with_code,
        returned=False,
        goods=list(sums.values()),
    )


def _index(state: State, name: str) -> int:
    names = state.names
    try:
        return names.index(name)
    except ValueError:
        names.append(name)
        return len(names) - 1


def _found(state: State, at: int, number: int) -> Visit | None:
    """The visit, looked for from the newest: returns come soon after."""
    for visit in reversed(state.visits):
        if visit.receipt == number:
            return visit
        if visit.at < at:
            return None
    return None


def _take_back_goods(state: State, visit: Visit, returned: Returned, of: Kept) -> None:
    groups = {sold.line: sold.group for sold in of.lines}
    goods = {bought.group: bought for bought in visit.goods}
    for line in returned.lines:
        bought = goods.get(_index(state, groups.get(line.line, "")))
        if bought is not None:
            bought.quantity -= line.quantity
            bought.paid -= line.refund


def _forget(state: State) -> None:
    """Drop the visits that are too old, or too many."""
    assert state.latest_at is not None  # noqa: S101 - a receipt was just added
    oldest = state.latest_at - KEPT_DAYS * DAY_S
    visits = state.visits
    over = max(0, len(visits) - MOST_VISITS)
    while over < len(visits) and visits[over].at < oldest:
        over += 1
    if over:
        gone = visits[over - 1].at
        state.forgotten_at = max(gone, state.forgotten_at or gone)
        del visits[:over]


def since(visits: Iterable[Visit], start: int) -> Iterator[Visit]:
    """The visits after ``start``: a window of N days ending at t is ``since(visits, t - N × DAY_S)``."""
    return (visit for visit in visits if visit.at > start)


def readable(state: State) -> dict[str, object]:
    """The state without what depends on the order in which things came: two that say the same are equal."""
    names = state.names
    said = msgspec.to_builtins(state, builtin_types=(bytes,))
    fields = dict(zip(State.__struct_fields__, said, strict=True))
    fields["visits"] = [
        (
            visit.at,
            visit.receipt,
            names[visit.store],
            names[visit.device],
            names[visit.currency],
            visit.offset_minutes,
            (visit.paid, visit.discount, visit.promo, visit.with_code, visit.returned),
            sorted((names[one.group], one.quantity, one.paid) for one in visit.goods),
        )
        for visit in state.visits
    ]
    del fields["names"]
    return fields
