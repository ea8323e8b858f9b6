"""What a batch of carts and sales is decided with: gathered in one go, then given to the core."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b

from services.evaluator.device import device_of
from services.evaluator.promotion.basket import Basket, PresentedCode
from services.evaluator.promotion.ruleset import Ruleset
from services.evaluator.receipt import Circumstances, ConflictError, Receipt
from services.evaluator.rulesets import Rulesets
from services.evaluator.store import ledger
from services.evaluator.store import reference as reference_store
from services.evaluator.store.reference import Place
from shared import codes
from shared.database import Connection
from shared.events.checkout import Cart, Sale

CLOCK_TOLERANCE = timedelta(hours=1)
"""How far a till's clock may be ahead of the database's."""
OLDEST = timedelta(days=400)
"""How old an event may be: receipts are kept so long."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A cart or a sale with what identifies it: the event's key, and a digest of its body."""

    event: Cart | Sale
    key: bytes
    body_digest: bytes


def incoming(event: Cart | Sale, event_id: str, body: bytes) -> Incoming:
    """Event ids are the terminal's own: another terminal may use the same."""
    name = f"{type(event).__name__}/{event.store_id}/{event.terminal_id}/{event_id}"
    return Incoming(
        event,
        blake2b(name.encode(), digest_size=16).digest(),
        blake2b(body, digest_size=16).digest(),
    )


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts for a batch; ``now`` is the arbitrating database's clock."""

    now: datetime
    ruleset: Ruleset
    places: Mapping[str, Place]
    groups: Mapping[str, frozenset[str]]
    digests: Mapping[str, bytes]
    emissions: Mapping[bytes, str]
    hold: timedelta

    def check(self, event: Cart | Sale) -> None:
        """Raises ``ConflictError`` for an event that contradicts the reference data or the clock."""
        place = self.places.get(event.store_id)
        if place is None:
            message = "store_id: no such store; create it in emission first"
            raise ConflictError("unknown_store", message)
        if place.currency != event.currency:
            message = f"currency: this store sells in {place.currency}"
            raise ConflictError("wrong_currency", message)
        if event.occurred_at > self.now + CLOCK_TOLERANCE:
            message = "occurred_at: is in the future; check the clock of the till"
            raise ConflictError("implausible_time", message)
        if event.occurred_at < self.now - OLDEST:
            message = f"occurred_at: is more than {OLDEST.days} days ago"
            raise ConflictError("implausible_time", message)

    def basket(self, event: Cart | Sale) -> Basket:
        """The event's facts as the promotion engine sees them."""
        customer = event.customer_id
        return Basket(
            store_id=event.store_id,
            occurred_at=event.occurred_at,
            lines=event.lines,
            customer_id=customer,
            customer_groups=self.groups.get(customer, frozenset()) if customer else frozenset(),
            codes=tuple(
                PresentedCode(n, self.digests[code], self.emissions.get(self.digests[code]))
                for n, code in enumerate(event.codes)
            ),
        )

    def circumstances(self, came: Incoming) -> Circumstances:
        """What the event is decided with."""
        return Circumstances(
            event_key=came.key,
            body_digest=came.body_digest,
            basket=self.basket(came.event),
            region=self.places[came.event.store_id].region,
            device=device_of(came.event.channel, came.event.user_agent),
            ruleset=self.ruleset,
            now=self.now,
            expires_at=self.now + self.hold,
        )

    def caps(self, event: Cart | Sale) -> dict[str, int | None]:
        """The limits that deciding the event may ask for, with their caps."""
        return {limit.limit_id: limit.cap for limit in self.ruleset.limits(self.basket(event))}


def limits_of(receipts: Sequence[Receipt]) -> dict[str, int | None]:
    """The limits that receipts have slots of, or may take again."""
    return {
        limit_id: None
        for receipt in receipts
        if receipt.status != "paid"
        for redemption in receipt.redemptions.values()
        for limit_id in redemption.limit_ids
    }


@dataclass(frozen=True, slots=True)
class Gatherer:
    """Gathers facts. ``code_key`` is the key of the codes' digests, ``hold`` how long holds last."""

    rulesets: Rulesets
    code_key: bytes
    hold: timedelta

    async def gather(
        self, connection: Connection, events: Sequence[Cart | Sale], *, lock: bool
    ) -> Facts:
        """The facts for these events; with ``lock`` no rule changes until the transaction ends."""
        ruleset = await self.rulesets.current(connection, lock=lock)
        digests = {
            code: codes.digest(code, self.code_key) for event in events for code in event.codes
        }
        customers = {event.customer_id for event in events if event.customer_id}
        return Facts(
            now=await ledger.now(connection),
            ruleset=ruleset,
            places=await reference_store.places(connection, {event.store_id for event in events}),
            groups=await reference_store.groups_of(connection, customers) if customers else {},
            digests=digests,
            emissions=await reference_store.emissions_of(connection, set(digests.values()))
            if digests
            else {},
            hold=self.hold,
        )
