"""A decision on its way out: ``shared.events.outcome.Decision``, field by field, made for speed.

Building and dumping the pydantic models of one decision takes several times as long as making it;
these structs do not validate what the engine has just worked out. What the model has a default for,
and is so, is left out: whoever reads the bytes by the model reads the same.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import msgspec

from services.evaluator import redemption
from services.evaluator.payment import Points
from services.evaluator.promotion import allocation
from services.evaluator.promotion.blocks import SubjectKind
from services.evaluator.promotion.verdict import (
    DecidedLine,
    Granted,
    NearMiss,
    PriceGroup,
    Refused,
    UnusedCode,
    Verdict,
)
from shared.events.checkout import Cart, Sale
from shared.events.values import Device

Outcome = Literal["decided", "superseded", "cancelled", "paid"]


class LineDiscount(msgspec.Struct, frozen=True, gc=False):
    """A share of a benefit on one line."""

    line: int
    discount: int


class Gift(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Goods given away."""

    sku: str
    quantity: int
    value: int = 0


class Applied(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A benefit granted."""

    campaign_id: str
    instrument_id: str
    redemption_id: str | None = None
    discount: int
    lines: tuple[LineDiscount, ...]
    bonuses: int
    gifts: tuple[Gift, ...] = ()
    choose: int | None = None
    code: int | None = None
    times: int = 1
    emission_id: str | None = None


class Decision(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The answer to one revision of a cart."""

    decision_id: str
    receipt_id: str
    revision: int
    intent: Literal["quote", "checkout", "cancel"]
    outcome: Outcome
    store_id: str
    terminal_id: str
    region: str
    device: Device
    customer_id: str | None = None
    occurred_at: datetime
    decided_at: datetime
    expires_at: datetime | None = None
    currency: str
    ruleset_version: int
    ruleset_hash: str | None = None
    total: int
    discount: int
    bonuses: int
    lines: tuple[DecidedLine, ...]
    applied: tuple[Applied, ...]
    not_applied: tuple[Refused, ...]
    near_misses: tuple[NearMiss, ...] = ()
    unused_codes: tuple[UnusedCode, ...] = ()
    unknown_codes: tuple[int, ...] = ()
    foreign_codes: tuple[int, ...] = ()
    bonus_balance: int | None = None
    bonuses_payable: int = 0
    bonuses_held: int = 0
    stale: bool = False
    blocked: SubjectKind | None = None
    device_id: str | None = None
    cashier_id: str | None = None
    address: str | None = None


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Decision)


def encode(decision: Decision) -> bytes:
    """The decision as it is sent and kept."""
    return _ENCODER.encode(decision)


def decode(body: bytes) -> Decision:
    """A decision that ``encode`` made. Raises ``msgspec.DecodeError``."""
    return _DECODER.decode(body)


def of(
    event: Cart | Sale,
    verdict: Verdict | None,
    *,
    decision_id: str,
    outcome: Outcome,
    region: str,
    device: Device,
    decided_at: datetime,
    expires_at: datetime | None,
    ruleset_version: int,
    ruleset_hash: str,
    unknown_codes: Sequence[int],
    foreign_codes: Sequence[int] = (),
    points: Points | None = None,
    blocked: SubjectKind | None = None,
    address: str | None = None,
    names_emissions: bool = True,
    names_senders: bool = True,
) -> Decision:
    """The answer to an event; without a verdict nothing was decided.

    With ``expires_at`` something is held until then, and each benefit has its redemption's id.
    ``unknown_codes`` are the positions of codes that belong to no emission, ``foreign_codes`` of those bound to
    somebody else. ``points`` are the customer's: while promotions are withheld (``blocked``) none are payable.
    Earlier versions did not say of which emission a used code is (``names_emissions``), nor who sent the event
    (``names_senders``): device, cashier, the hash of the ``address``, and which codes were somebody else's.
    """
    held = expires_at is not None
    payable = 0
    if points and verdict and not blocked:
        payable = points.payable(verdict.total - verdict.discount)
    asked = 0 if event.intent == "sale" else event.pay_bonuses
    return Decision(
        decision_id=decision_id,
        receipt_id=event.receipt_id,
        revision=event.revision,
        intent="checkout" if event.intent == "sale" else event.intent,
        outcome=outcome,
        store_id=event.store_id,
        terminal_id=event.terminal_id,
        region=region,
        device=device,
        customer_id=event.customer_id,
        occurred_at=event.occurred_at,
        decided_at=decided_at,
        expires_at=expires_at,
        currency=event.currency,
        ruleset_version=ruleset_version,
        ruleset_hash=ruleset_hash,
        total=verdict.total if verdict else sum([line.amount for line in event.lines]),
        discount=verdict.discount if verdict else 0,
        bonuses=verdict.bonuses if verdict else 0,
        lines=_lines(event, verdict),
        applied=_applied(event.receipt_id, verdict.granted, held, names_emissions)
        if verdict
        else (),
        not_applied=verdict.refused if verdict else (),
        near_misses=verdict.near_misses if verdict else (),
        unused_codes=verdict.unused_codes if verdict else (),
        unknown_codes=tuple(unknown_codes),
        foreign_codes=tuple(foreign_codes) if names_senders else (),
        bonus_balance=points.balance if points else None,
        bonuses_payable=payable,
        bonuses_held=min(asked, payable) if held else 0,
        blocked=blocked,
        device_id=event.device_id if names_senders else None,
        cashier_id=event.cashier_id if names_senders else None,
        address=address,
    )


def _lines(event: Cart | Sale, verdict: Verdict | None) -> tuple[DecidedLine, ...]:
    """The lines in the order of the event's, with what comes off them."""
    if verdict is None:
        return tuple([DecidedLine(x.line, x.amount, 0) for x in event.lines])
    if event.intent == "sale" or not event.price_groups:
        return verdict.lines
    return tuple(
        [
            DecidedLine(
                x.line, x.amount, x.discount, _price_groups(line.quantity, x.amount - x.discount)
            )
            for line, x in zip(event.lines, verdict.lines, strict=True)
        ]
    )


def _price_groups(quantity: int, net: int) -> tuple[PriceGroup, ...]:
    groups = allocation.price_groups(quantity, net)
    return tuple([PriceGroup(count, price) for count, price in groups])


def _applied(
    receipt_id: str, granted: Sequence[Granted], held: bool, names_emissions: bool
) -> tuple[Applied, ...]:
    return tuple(
        [
            Applied(
                campaign_id=g.campaign_id,
                instrument_id=g.instrument_id,
                redemption_id=redemption.redemption_id(receipt_id, (g.campaign_id, g.instrument_id))
                if held
                else None,
                discount=g.discount,
                lines=tuple([LineDiscount(line, share) for line, share in g.lines]),
                bonuses=g.bonuses,
                gifts=tuple([Gift(gift.sku, gift.quantity, gift.value) for gift in g.gifts]),
                choose=g.choose,
                code=g.code,
                times=g.times,
                emission_id=g.emission_id if names_emissions else None,
            )
            for g in granted
        ]
    )
