"""What a decision was made with besides the event and the rules: kept, so that it can be made again.

Pure. ``Facts`` and the event make the circumstances of a decision; with the ruleset of the version
they name, the same decision comes of them, byte for byte.
"""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from services.evaluator.circumstances import Circumstances
from services.evaluator.payment import Points
from services.evaluator.promotion.basket import Basket, PresentedCode
from services.evaluator.promotion.blocks import SubjectKind
from services.evaluator.promotion.history import Purchase
from services.evaluator.promotion.ruleset import Ruleset
from shared.events.checkout import Cart, Sale
from shared.events.reference import NOBODY
from shared.events.values import Device, Location, PaymentMethod

SOMEBODY = "tillstream:somebody"
"""In place of another customer's id: whose a code is that was not theirs is nothing to keep with their cart."""


class Code(msgspec.Struct, frozen=True, array_like=True):
    """A presented code as it was recognised. ``holder``: the cart's customer, ``SOMEBODY`` or ``NOBODY``."""

    position: int
    digest: bytes
    emission_id: str | None
    holder: str | None
    valid_until: datetime | None = None


class Facts(msgspec.Struct, frozen=True, array_like=True):
    """The facts of one decision.

    ``held``: how many codes were held of the emissions that mattered. ``free``: what was left of each
    limit that was asked about, by its id. ``purchases`` are those that mattered, in their order.
    ``locked_out``: the codes were not looked at. ``names_emissions``: the decision says of which emission
    a used code is, ``names_senders``: from which device, by which cashier it was asked for; those of earlier
    versions did not. ``region`` is the store's, ``seen_in`` the one that statistics count instead of it, if they
    do. ``address`` is the hash of the customer's. ``blocked``: promotions were withheld.
    """

    ruleset_version: int
    now: datetime
    expires_at: datetime
    device: Device
    region: str
    time_zone: str
    place: tuple[int, int] | None = None
    groups: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    birthday: str | None = None
    codes: tuple[Code, ...] = ()
    held: dict[str, int] = {}
    free: dict[str, int] = {}
    purchases: tuple[Purchase, ...] = ()
    points: Points | None = None
    locked_out: bool = False
    names_emissions: bool = False
    seen_in: str | None = None
    names_senders: bool = False
    address: str | None = None
    blocked: SubjectKind | None = None

    @property
    def counted_in(self) -> str:
        """The region that statistics count."""
        return self.seen_in or self.region


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Facts)


def facts_of(given: Circumstances, free: Mapping[str, int]) -> Facts:
    """The facts of a decision; ``free`` are the limits it asked about."""
    considered = given.considered
    basket, since = considered.reading.basket, considered.since
    return Facts(
        ruleset_version=considered.ruleset.version,
        now=given.now,
        expires_at=given.expires_at,
        device=given.device,
        region=basket.region,
        time_zone=basket.time_zone,
        place=(basket.location.latitude_e6, basket.location.longitude_e6)
        if basket.location
        else None,
        groups=tuple(sorted(basket.customer_groups)),
        segments=tuple(sorted(basket.segments)),
        birthday=basket.birthday,
        codes=tuple(
            [
                Code(
                    c.position,
                    c.digest,
                    c.emission_id,
                    _holder(c.holder, basket.customer_id),
                    c.valid_until,
                )
                for c in basket.codes
            ]
        ),
        held=considered.held(),
        free=dict(free),
        purchases=tuple(
            [
                p
                for p in considered.reading.purchases
                if since is not None and p.occurred_at >= since
            ]
        ),
        points=given.points,
        locked_out=basket.locked_out,
        names_emissions=given.names_emissions,
        seen_in=given.region if given.region != basket.region else None,
        names_senders=given.names_senders,
        address=given.address,
        blocked=basket.blocked,
    )


def _holder(holder: str | None, customer_id: str | None) -> str | None:
    return holder if holder in (None, NOBODY, customer_id) else SOMEBODY


def encode_facts(facts: Facts) -> bytes:
    """The facts as they are kept."""
    return _ENCODER.encode(facts)


def decode_facts(kept: bytes) -> Facts:
    """The facts as they were. Raises ``msgspec.ValidationError`` for anything else."""
    return _DECODER.decode(kept)


def circumstances_of(
    event: Cart | Sale, event_key: bytes, facts: Facts, ruleset: Ruleset
) -> Circumstances:
    """What the event was decided with; ``ruleset`` is that of the version which the facts name."""
    considered = ruleset.with_codes(facts.held).consider(basket_of(event, facts))
    considered.remember(facts.purchases)
    return Circumstances(
        event_key=event_key,
        body_digest=b"",
        considered=considered,
        region=facts.counted_in,
        device=facts.device,
        now=facts.now,
        expires_at=facts.expires_at,
        points=facts.points,
        names_emissions=facts.names_emissions,
        names_senders=facts.names_senders,
        address=facts.address,
    )


def basket_of(event: Cart | Sale, facts: Facts) -> Basket:
    """The event's facts as the promotion engine saw them, but for the customer's history."""
    return Basket(
        store_id=event.store_id,
        occurred_at=event.occurred_at,
        lines=event.lines,
        receipt_id=event.receipt_id,
        currency=event.currency,
        region=facts.region,
        time_zone=facts.time_zone,
        location=Location(latitude_e6=facts.place[0], longitude_e6=facts.place[1])
        if facts.place
        else None,
        channel=event.channel,
        device=facts.device,
        payment_methods=payment_methods(event),
        customer_id=event.customer_id,
        customer_groups=frozenset(facts.groups),
        segments=frozenset(facts.segments),
        birthday=facts.birthday,
        codes=tuple(
            [
                PresentedCode(c.position, c.digest, c.emission_id, c.holder, c.valid_until)
                for c in facts.codes
            ]
        ),
        locked_out=facts.locked_out,
        blocked=facts.blocked,
    )


def payment_methods(event: Cart | Sale) -> frozenset[PaymentMethod]:
    """How the receipt is, or was, paid, as far as the till says."""
    if event.intent == "sale":
        return frozenset([payment.method for payment in event.payments])
    return frozenset(event.payment_methods)
