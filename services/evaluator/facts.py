"""What a batch of carts, sales and returns is decided with: gathered in one go, then given to the core."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b

from services.evaluator.circumstances import Circumstances
from services.evaluator.counters import rolling_days
from services.evaluator.device import device_of
from services.evaluator.payment import Points
from services.evaluator.promotion.basket import Basket, PresentedCode
from services.evaluator.promotion.exposure import NOT_EXPOSED, Exposure
from services.evaluator.promotion.period import offset_minutes
from services.evaluator.promotion.ruleset import Considered, Ruleset
from services.evaluator.purchases import KEPT, forgotten_before
from services.evaluator.receipt import ConflictError, Receipt
from services.evaluator.recording import payment_methods
from services.evaluator.regions import NOWHERE, Whereabouts
from services.evaluator.rulesets import Rulesets
from services.evaluator.store import reference as reference_store
from services.evaluator.store.reference import KnownCode, KnownCustomer, Place
from shared import codes
from shared.database import Connection
from shared.events.checkout import Cart, Return, Sale
from shared.events.reference import NOBODY

CLOCK_TOLERANCE = timedelta(hours=1)
"""How far a till's clock may be ahead of the database's."""
_NOTHING_KNOWN = KnownCustomer()


@dataclass(frozen=True, slots=True)
class Incoming:
    """An event of a till with what identifies it: its key, its body and a digest of what was sent.

    ``waiting``: its sender waits for the answer, and gets it again with the same request. ``confirms``:
    it was made of an order to confirm, and is refused where a sale would be recorded as unauthorised.
    ``seen_in``: where its customer is, where that is known better than by the store.
    """

    event: Cart | Sale | Return
    key: bytes
    body: bytes
    body_digest: bytes
    waiting: bool = False
    confirms: bool = False
    seen_in: Whereabouts = NOWHERE


def incoming(
    event: Cart | Sale | Return,
    event_id: str,
    body: bytes,
    *,
    sent: bytes | None = None,
    waiting: bool = False,
    confirms: bool = False,
    seen_in: Whereabouts = NOWHERE,
) -> Incoming:
    """Event ids are the terminal's own, on each topic: another terminal may use the same.

    ``sent`` is what was sent, where the event's ``body`` was made of it.
    """
    kind = "Sale" if event.intent in ("sale", "return") else "Cart"
    name = f"{kind}/{event.store_id}/{event.terminal_id}/{event_id}"
    return Incoming(
        event,
        blake2b(name.encode(), digest_size=16).digest(),
        body,
        blake2b(body if sent is None else sent, digest_size=16).digest(),
        waiting,
        confirms,
        seen_in,
    )


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts for a batch; ``now`` is the arbitrating database's clock."""

    now: datetime
    ruleset: Ruleset
    places: Mapping[str, Place]
    customers: Mapping[str, KnownCustomer]
    digests: Mapping[str, bytes]
    codes: Mapping[bytes, KnownCode]
    hold: timedelta

    def objection(self, event: Cart | Sale | Return) -> ConflictError | None:
        """What is wrong with an event that contradicts the reference data or the clock."""
        misplaced = self.misplaced(event)
        if misplaced is not None:
            return misplaced
        if event.occurred_at > self.now + CLOCK_TOLERANCE:
            message = "occurred_at: is in the future; check the clock of the till"
            return ConflictError("implausible_time", message)
        if event.occurred_at < forgotten_before(self.now):
            message = f"occurred_at: is more than {KEPT.days} days ago"
            return ConflictError("implausible_time", message)
        return None

    def misplaced(self, event: Cart | Sale | Return) -> ConflictError | None:
        """What is wrong with an event that contradicts the reference data."""
        place = self.places.get(event.store_id)
        if place is None:
            message = "store_id: no such store; create it in emission first"
            return ConflictError("unknown_store", message)
        if event.intent != "return" and event.customer_id == NOBODY:
            message = "customer_id: stands for those who were erased, and is nobody's"
            return ConflictError("nobodys_customer_id", message)
        if event.intent != "return" and place.currency != event.currency:
            message = f"currency: this store sells in {place.currency}"
            return ConflictError("wrong_currency", message)
        return None

    def consider(self, event: Cart | Sale, *, heard: bool = True) -> Considered:
        """The event's facts, matched once with the rules; ``objection`` has none to it.

        Unless its sender is ``heard``, its codes are not looked at.
        """
        return self.ruleset.consider(self.basket(event, heard=heard))

    def digests_of(self, event: Cart | Sale) -> list[bytes]:
        """The digests of its codes, in their order."""
        return [self.digests[code] for code in event.codes]

    def basket(self, event: Cart | Sale, *, heard: bool = True) -> Basket:
        """The event's facts as the promotion engine sees them, but for the customer's history."""
        place = self.places[event.store_id]
        customer = event.customer_id
        known = self.customers[customer] if customer else _NOTHING_KNOWN
        return Basket(
            store_id=event.store_id,
            occurred_at=event.occurred_at,
            lines=event.lines,
            receipt_id=event.receipt_id,
            currency=event.currency,
            region=place.region,
            time_zone=place.time_zone,
            location=event.location or place.location,
            channel=event.channel,
            device=device_of(event.channel, event.user_agent),
            payment_methods=payment_methods(event),
            customer_id=customer,
            customer_groups=known.groups,
            segments=known.segments,
            birthday=known.birthday,
            codes=tuple([self._presented(n, code, heard) for n, code in enumerate(event.codes)]),
            locked_out=not heard,
            blocked=self.ruleset.blocks.on(event),
        )

    def _presented(self, position: int, code: str, heard: bool) -> PresentedCode:
        digest = self.digests[code]
        known = self.codes.get(digest) if heard else None
        if known is None:
            return PresentedCode(position, digest, None)
        return PresentedCode(position, digest, known.emission_id, known.holder, known.valid_until)

    def consider_nothing(self) -> Considered:
        """What is enough for an event that is not decided by rules."""
        return self.ruleset.consider(Basket(store_id="", occurred_at=self.now, lines=()))

    def circumstances(
        self,
        event: Cart | Sale,
        came: Incoming,
        considered: Considered,
        points: Points | None = None,
        exposure: Exposure = NOT_EXPOSED,
    ) -> Circumstances:
        """What ``came``, a cart or a sale, is decided with."""
        place = self.places[event.store_id]
        return Circumstances(
            event_key=came.key,
            body_digest=came.body_digest,
            considered=considered,
            region=came.seen_in.region or place.region,
            device=device_of(event.channel, event.user_agent),
            now=self.now,
            expires_at=self.now + self.hold,
            points=points,
            exposure=exposure,
            address=came.seen_in.address,
            utc_offset_minutes=offset_minutes(event.occurred_at, place.time_zone)
            if event.intent == "sale"
            else None,
        )

    def exposure(self, sale: Sale, at: datetime) -> Exposure:
        """What a sale that was decided for the instant ``at`` is to be known for of control groups."""
        # Most rulesets have none: their sales need no basket of their own for this.
        if sale.customer_id is None or not self.ruleset.has_control_groups:
            return NOT_EXPOSED
        known = self.customers[sale.customer_id]
        return self.ruleset.exposure(
            Basket(
                store_id=sale.store_id,
                occurred_at=at,
                lines=(),
                customer_id=sale.customer_id,
                customer_groups=known.groups,
                segments=known.segments,
            )
        )


@dataclass(slots=True)
class Demand:
    """The limits that a batch may ask for, with their ``caps`` (None: not known here).

    ``windows`` are the earliest and the latest instant after which a rolling limit's uses count.
    """

    caps: dict[str, int | None] = field(default_factory=dict)
    windows: dict[str, tuple[datetime, datetime]] = field(default_factory=dict)

    def add(self, limit_id: str, cap: int | None, since: datetime | None) -> None:
        """Add a limit, as one event may ask for it."""
        if cap is not None or limit_id not in self.caps:
            self.caps[limit_id] = cap
        if since is not None:
            first, last = self.windows.get(limit_id, (since, since))
            self.windows[limit_id] = min(first, since), max(last, since)


def demand(
    receipts: Iterable[Receipt],
    considered: Iterable[Considered],
    returning: Collection[str] = (),
    ruleset: Ruleset | None = None,
) -> Demand:
    """The limits that receipts have slots of or may take again, and that events may ask for.

    Of paid receipts those that are ``returning``, by their ids: they give slots back. What may take a
    slot again, after its hold, does so by the caps of the ``ruleset``.
    """
    found = Demand()
    for receipt in receipts:
        if receipt.status != "paid" or receipt.receipt_id in returning:
            for key, redemption in receipt.redemptions.items():
                again = (
                    ruleset.instrument(*key) if ruleset and redemption.status == "expired" else None
                )
                for limit_id in redemption.limit_ids:
                    since = redemption.since if rolling_days(limit_id) else None
                    found.add(limit_id, again.cap_of(limit_id) if again else None, since)
    for each in considered:
        for limit in each.limits():
            found.add(limit.limit_id, limit.cap, limit.since)
    return found


@dataclass(frozen=True, slots=True)
class Gatherer:
    """Gathers facts. ``code_key`` is the key of the codes' digests, ``hold`` how long holds last."""

    rulesets: Rulesets
    code_key: bytes
    hold: timedelta

    async def gather(
        self,
        connection: Connection,
        events: Sequence[Cart | Sale | Return],
        ruleset: Ruleset,
        now: datetime,
    ) -> Facts:
        """The facts for these events, which are decided by these rules."""
        decided = [event for event in events if event.intent != "return"]
        digests = {
            code: codes.digest(code, self.code_key) for event in decided for code in event.codes
        }
        places, customers, known_codes = await reference_store.known(
            connection,
            {event.store_id for event in events},
            {event.customer_id for event in decided if event.customer_id},
            set(digests.values()),
        )
        return Facts(now, ruleset, places, customers, digests, known_codes, self.hold)
