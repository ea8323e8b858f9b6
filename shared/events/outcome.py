"""What the evaluator answers and records: decisions, redemptions, receipts, bonuses."""

from typing import Annotated, Literal

from pydantic import Field

from shared.events.values import (
    Channel,
    Count,
    Currency,
    CustomerId,
    Device,
    Event,
    Gift,
    Id,
    Instant,
    Money,
    Points,
    Quantity,
    SignedMoney,
    Text,
)

Reason = Literal[
    "condition_not_met",
    "wrong_store",
    "wrong_customer_group",
    "wrong_segment",
    "customer_unknown",
    "control_group",
    "campaign_not_active",
    "code_missing",
    "code_not_valid",
    "code_not_yours",
    "limit_reached",
    "outranked",
    "nothing_to_discount",
]
"""Why an instrument that was considered gave nothing."""

Unit = Literal["money", "quantity", "lines", "purchases", "days", "seconds"]
"""What a gap is counted in: minor units, thousandths, or whole lines, purchases, days, seconds."""


class LineDiscount(Event):
    """A share of a benefit on one line."""

    line: int
    discount: Money


class Applied(Event):
    """A benefit granted. ``code`` is the position (from 0) in the cart's codes of the one used.

    ``times``: how often its conditions were met, where it repeats. ``choose``: how many of ``gifts``
    may be taken, in their order as far as they are in stock; none = all of them. ``emission_id`` is the
    emission of that code.
    """

    campaign_id: Id
    instrument_id: Id
    redemption_id: Id | None = None
    discount: Money = 0
    lines: tuple[LineDiscount, ...] = ()
    bonuses: Points = 0
    gifts: tuple[Gift, ...] = ()
    choose: int | None = None
    code: int | None = None
    times: int = 1
    emission_id: Id | None = None


class InstrumentName(Event):
    """Which instrument of which campaign."""

    campaign_id: Id
    instrument_id: Id


class NotApplied(Event):
    """An instrument that was considered and gave nothing, and the gap.

    ``condition`` is the one that failed: a code condition's id, others' kind (``not.device``: the
    device must not be that one), or a limit's name.
    ``missing`` is how much more of ``unit`` it needs. ``left`` is what is left of the limit that
    refused: redemptions, or minor units. ``outranked_by`` is the instrument that was
    preferred, where it was stacking that refused.
    """

    campaign_id: Id
    instrument_id: Id
    reason: Reason
    condition: Text | None = None
    missing: int | None = None
    unit: Unit | None = None
    left: int | None = None
    outranked_by: InstrumentName | None = None


class NearMiss(Event):
    """``missing`` more of ``unit`` would get the benefit called ``name``: all else is met.

    ``condition`` is what asks for it (a kind): of ``purchase_sum``, say, money is missing that was
    to be spent before this receipt. ``tiers``: the next tier of a benefit.
    """

    campaign_id: Id
    instrument_id: Id
    name: Text
    missing: int
    unit: Unit
    condition: Text | None = None


class PriceGroup(Event):
    """So many units (thousandths) of a line at one price each, all discounts taken off."""

    quantity: Quantity
    price: Money


class DecidedLine(Event):
    """A line with all discounts: the till registers ``amount`` − ``discount``.

    ``price_groups`` say the same by unit prices, for piece goods of carts that ask for them.
    """

    line: int
    amount: Money
    discount: Money
    price_groups: tuple[PriceGroup, ...] = ()


class UnusedCode(Event):
    """Why a presented code (its position from 0) was not used.

    ``locked_out``: the caller has presented too many that cannot be used; none was looked at. ``not_applied``
    is all that anonymous callers are told.
    """

    code: int
    reason: Reason | Literal["unknown_code", "no_campaign", "locked_out", "not_applied"]


class Decision(Event):
    """The answer to one revision of a cart.

    ``outcome``: ``decided``; ``superseded`` (a higher revision was seen); ``cancelled``; ``paid``
    (the receipt is committed: the benefits are those it was paid with, nothing is held).
    ``near_misses`` are at most 10, the nearest first. ``ruleset_hash`` tells whether two rulesets are the same.
    ``unknown_codes`` are the positions (from 0) of codes that belong to no emission, ``foreign_codes`` those of codes
    that are bound to another customer than the cart's, whether they were used or not.

    A customer may pay ``bonuses_payable`` points on this receipt of the ``bonus_balance`` (negative after
    a take-back); ``bonuses_held`` of them are held for it. ``stale``: a quote made while the ledger was
    away, by what was known before. ``address`` is a keyed hash of the caller's, another one each day.

    ``blocked``: promotions are withheld from this customer, device or cashier (``customers.blocks.v1``): nothing was
    considered, and codes are ``not_applied``.
    """

    decision_id: Id
    receipt_id: Id
    revision: int
    intent: Literal["quote", "checkout", "cancel"]
    outcome: Literal["decided", "superseded", "cancelled", "paid"]
    store_id: Id
    terminal_id: Id
    region: Text
    device: Device
    customer_id: CustomerId | None = None
    occurred_at: Instant
    decided_at: Instant
    expires_at: Instant | None = None
    currency: Currency
    ruleset_version: int
    ruleset_hash: Text | None = None
    total: Money
    discount: Money
    bonuses: Points
    lines: tuple[DecidedLine, ...]
    applied: tuple[Applied, ...]
    not_applied: tuple[NotApplied, ...]
    near_misses: tuple[NearMiss, ...] = ()
    unused_codes: tuple[UnusedCode, ...] = ()
    unknown_codes: tuple[int, ...] = ()
    foreign_codes: tuple[int, ...] = ()
    bonus_balance: int | None = None
    bonuses_payable: Points = 0
    bonuses_held: Points = 0
    stale: bool = False
    blocked: Literal["customer", "device", "cashier"] | None = None
    device_id: Id | None = None
    cashier_id: Id | None = None
    address: Text | None = None


RedemptionStatus = Literal["held", "committed", "released", "expired", "unauthorised", "returned"]


class Redemption(Event):
    """One change of state of one redemption: one use of one instrument on one receipt.

    ``unauthorised`` was given by the till without right: a cost, never an activation.
    ``mismatch`` is what the till gave minus what was decided (minor units), if they differ;
    ``gifts_mismatch`` are gifts given beyond the decided ones. ``discount_returned`` is the part of the
    discount (minor units) that returns have taken back so far; ``returned``: all of the sale came back.
    """

    redemption_id: Id
    status: RedemptionStatus
    campaign_id: Id
    instrument_id: Id
    receipt_id: Id
    decision_id: Id | None = None
    store_id: Id
    terminal_id: Id
    region: Text
    device: Device
    customer_id: CustomerId | None = None
    occurred_at: Instant
    changed_at: Instant
    currency: Currency
    discount: Money
    bonuses: Points
    gifts: tuple[Gift, ...] = ()
    mismatch: SignedMoney = 0
    gifts_mismatch: tuple[Gift, ...] = ()
    discount_returned: Money = 0


class RecordedLine(Event):
    """A line of a receipt as it was paid: ``amount`` before, ``discount`` by our benefits."""

    line: int
    sku: Text
    group: Text | None = None
    brand: Text | None = None
    quantity: Quantity
    amount: Money
    discount: Money


class ReceiptRedemption(Event):
    """A redemption as its receipt records it; ``emission_id`` is the emission of the code it used."""

    redemption_id: Id
    campaign_id: Id
    instrument_id: Id
    status: Literal["committed", "unauthorised"]
    discount: Money
    bonuses: Points
    mismatch: SignedMoney = 0
    emission_id: Id | None = None


class Receipt(Event):
    """A paid receipt, passed on once, clean: what statistics and profiles are made of.

    ``total`` − ``discount`` = ``paid`` (minor units, before cash rounding). Of that ``bonuses_paid`` were
    paid with points; ``bonuses_unauthorised`` more points the till took without right. ``exposed`` are the
    campaigns with a control group that are for this customer, in this store, then; ``held_back`` those of
    them whose control group the customer is in. ``address`` is a keyed hash of the web customer's, another one
    each day. ``utc_offset_minutes`` is by how much the store's clock was ahead of UTC then.
    """

    receipt_id: Id
    decision_id: Id | None = None
    store_id: Id
    terminal_id: Id
    region: Text
    channel: Channel
    device: Device
    customer_id: CustomerId | None = None
    occurred_at: Instant
    recorded_at: Instant
    currency: Currency
    total: Money
    discount: Money
    paid: Money
    bonuses: Points
    bonuses_paid: Points = 0
    bonuses_unauthorised: Points = 0
    lines: Annotated[tuple[RecordedLine, ...], Field(min_length=1)]
    redemptions: tuple[ReceiptRedemption, ...]
    exposed: tuple[Id, ...] = ()
    held_back: tuple[Id, ...] = ()
    device_id: Id | None = None
    cashier_id: Id | None = None
    address: Text | None = None
    utc_offset_minutes: Annotated[int, Field(ge=-1_080, le=1_080)] | None = None


class ReturnedLine(Event):
    """So much (thousandths) of a line came back, and what is refunded for it (minor units)."""

    line: int
    quantity: Quantity
    refund: Money


class ReturnedRedemption(Event):
    """What a return changed of a redemption.

    ``returned``: all of the sale has come back; ``released`` says whether its slot is free again.
    ``discount`` (minor units) and ``bonuses`` (points) are what this return took back of it.
    ``emission_id`` is the emission of the code it used.
    """

    redemption_id: Id
    campaign_id: Id
    instrument_id: Id
    status: Literal["committed", "returned", "unauthorised"]
    released: bool
    discount: Money
    bonuses: Points
    emission_id: Id | None = None


class Returned(Event):
    """A return, passed on once: what comes back of a sale, and what the customer gets for it.

    ``refund`` (minor units) + what is kept = what was paid, over all returns. It is paid out as ``money`` and as
    ``bonuses`` (points that had been paid with). ``withheld`` is the value of gifts that did not come back,
    already taken off the refund. ``bonuses_taken_back`` are the points that the sale had earned.
    Region, device, customer and ``sold_at`` are the sale's, store, terminal and ``occurred_at`` the return's.
    """

    return_id: Id
    receipt_id: Id
    store_id: Id
    terminal_id: Id
    sold_in: Id
    region: Text
    device: Device
    customer_id: CustomerId | None = None
    sold_at: Instant
    occurred_at: Instant
    recorded_at: Instant
    currency: Currency
    complete: bool
    refund: Money
    money: Money
    bonuses: Points
    withheld: Money = 0
    bonuses_taken_back: Points = 0
    cashier_id: Id | None = None
    lines: tuple[ReturnedLine, ...]
    redemptions: tuple[ReturnedRedemption, ...]


class BonusEntry(Event):
    """One movement of a customer's bonus points, double entry: the campaign or store has the contrary.

    ``accrual``: by a redemption on a receipt, or at the end of a period (no receipt, but ``period_start``
    ≤ t < ``period_end``); to be spent from ``active_at`` until ``expires_at``. ``spend``: paid with on a receipt.
    ``refund``: given back when it was returned. ``take_back``: what a returned sale had earned.
    ``expiry``: not spent in time. ``points`` is signed: what the customer has more, or less.
    """

    entry_id: Id
    customer_id: CustomerId
    redemption_id: Id | None = None
    campaign_id: Id | None = None
    instrument_id: Id | None = None
    receipt_id: Id | None = None
    period_start: Instant | None = None
    period_end: Instant | None = None
    kind: Literal["accrual", "spend", "refund", "take_back", "expiry"]
    points: int
    active_at: Instant | None = None
    expires_at: Instant | None = None
    occurred_at: Instant
    recorded_at: Instant


class CodeAttempt(Event):
    """Codes presented by a caller that is locked out for guessing: they were not looked at.

    ``who`` presented too many codes that cannot be used: a ``store``, a ``terminal`` (store:terminal), a
    ``customer``, or an ``address``: a keyed hash of the IP address, another one each day.
    """

    attempt_id: Id
    who: Literal["store", "terminal", "customer", "address"]
    subject: Text
    store_id: Id
    terminal_id: Id
    receipt_id: Id | None = None
    customer_id: CustomerId | None = None
    codes: Count
    locked_until: Instant
    occurred_at: Instant
    recorded_at: Instant
