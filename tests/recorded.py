"""Recorded receipts: really decided, in this process, and written as the evaluator writes them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b

import asyncpg

from services.evaluator import receipt, recording
from services.evaluator.answer import encode as encode_decision
from services.evaluator.circumstances import Circumstances
from services.evaluator.counters import Counter, Counters
from services.evaluator.device import device_of
from services.evaluator.promotion.basket import Basket, PresentedCode
from services.evaluator.promotion.history import Purchase, ordered
from services.evaluator.promotion.ruleset import Ruleset
from services.evaluator.purchases import paid_receipt
from services.evaluator.recording import payment_methods
from services.evaluator.store import purchases as purchase_store
from shared.codec import encode
from shared.codes import digest
from shared.events.checkout import Cart, Sale, SoldLine
from shared.events.promotion import Campaign
from tests.builders import CODE_KEY, ruleset

_HOLD = timedelta(minutes=15)
_LATER = timedelta(seconds=1)


@dataclass(frozen=True)
class Decided:
    """A cart with its decision and the facts of it, and whether it was paid."""

    cart: Cart
    event_key: bytes
    decision: bytes
    facts: bytes
    paid: bool
    received_at: datetime


@dataclass
class Recorder:
    """Decides carts one after another by ``campaigns``, whose version is ``version``.

    ``codes`` are the words that are known, by the emission they are of.
    """

    campaigns: Sequence[Campaign]
    version: int = 0
    codes: dict[str, str] = field(default_factory=dict)
    region: str = "North"
    groups: dict[str, frozenset[str]] = field(default_factory=dict)
    decided: list[Decided] = field(default_factory=list)
    bought: dict[str, list[Purchase]] = field(default_factory=dict)
    _rules: Ruleset = field(init=False)
    _counters: dict[str, Counter] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._rules = ruleset(*self.campaigns, version=self.version)

    def decide(self, cart: Cart, *, paid: bool = True) -> receipt.Answer:
        """Decide a cart as the evaluator does, and remember it."""
        now = cart.occurred_at + _LATER
        considered = self._rules.consider(self._basket(cart))
        if cart.customer_id:
            considered.remember(ordered(self.bought.get(cart.customer_id, ())))
        for limit in considered.limits():
            self._counters.setdefault(limit.limit_id, Counter(limit.cap))
        name = f"Cart/{cart.store_id}/{cart.receipt_id}/{cart.revision}".encode()
        given = Circumstances(
            event_key=blake2b(name, digest_size=16).digest(),
            body_digest=b"",
            considered=considered,
            region=self.region,
            device=device_of(cart.channel, cart.user_agent),
            now=now,
            expires_at=now + _HOLD,
        )
        answer = receipt.answer(cart, receipt.open_receipt(cart), given, Counters(self._counters))
        facts = recording.encode_facts(recording.facts_of(given, answer.free or {}))
        self.decided.append(
            Decided(cart, given.event_key, encode_decision(answer.decision), facts, paid, now)
        )
        if paid and cart.customer_id:
            bought = paid_receipt(sale_of(cart)).purchase
            self.bought.setdefault(cart.customer_id, []).append(bought)
        return answer

    def _basket(self, cart: Cart) -> Basket:
        codes = [
            PresentedCode(n, digest(word, CODE_KEY), self.codes.get(word))
            for n, word in enumerate(cart.codes)
        ]
        return Basket(
            store_id=cart.store_id,
            occurred_at=cart.occurred_at,
            lines=cart.lines,
            receipt_id=cart.receipt_id,
            currency=cart.currency,
            region=self.region,
            channel=cart.channel,
            device=device_of(cart.channel, cart.user_agent),
            payment_methods=payment_methods(cart),
            customer_id=cart.customer_id,
            customer_groups=self.groups.get(cart.customer_id or "", frozenset()),
            codes=tuple(codes),
        )


def sale_of(cart: Cart) -> Sale:
    """The cart as it was paid, without discounts: enough for a history."""
    lines = tuple(SoldLine(**dict(x)) for x in cart.lines)
    shared = {
        name: getattr(cart, name)
        for name in ("receipt_id", "store_id", "terminal_id", "occurred_at", "currency")
    }
    return Sale(**shared, customer_id=cart.customer_id, lines=lines)


async def write(connection: asyncpg.Connection, recorder: Recorder) -> None:
    """Write all that the recorder decided into an evaluator's database."""
    first = recorder.version - len(recorder.campaigns) + 1
    states = [(first + n, c.campaign_id, encode(c)) for n, c in enumerate(recorder.campaigns)]
    await connection.copy_records_to_table(
        "campaign_versions", records=states, columns=("version", "campaign_id", "definition")
    )
    await connection.executemany(
        "insert into campaigns (version, campaign_id, definition) values ($1, $2, $3)", states
    )
    decided = recorder.decided
    await connection.copy_records_to_table(
        "checkout_events",
        records=_events(decided),
        columns=(
            "event_key",
            "body_digest",
            "receipt_id",
            "kind",
            "body",
            "decision",
            "facts",
            "received_at",
        ),
    )
    last = {d.cart.receipt_id: d for d in decided}
    await connection.copy_records_to_table(
        "receipts",
        records=[
            (
                d.cart.receipt_id,
                d.cart.store_id,
                d.cart.terminal_id,
                d.cart.revision,
                "paid" if d.paid else "open",
                d.received_at,
            )
            for d in last.values()
        ],
        columns=("receipt_id", "store_id", "terminal_id", "revision", "status", "updated_at"),
    )
    paid = [paid_receipt(sale_of(d.cart)) for d in last.values() if d.paid]
    await purchase_store.save(connection, paid)
    await connection.execute("analyze")


def _events(decided: Iterable[Decided]) -> Iterable[tuple[object, ...]]:
    for d in decided:
        yield (
            d.event_key,
            b"",
            d.cart.receipt_id,
            "cart",
            encode(d.cart),
            d.decision,
            d.facts,
            d.received_at,
        )
