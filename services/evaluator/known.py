"""All that quotes are made from: rules and facts in memory, and how old they may be."""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import asyncpg

from services.evaluator.account import Funds
from services.evaluator.counters import Counter
from services.evaluator.guessing import Subject, Tally
from services.evaluator.lookup import AwayError, Lookup, Source
from services.evaluator.memory import Memory
from services.evaluator.payment import Payment
from services.evaluator.promotion.history import Purchase
from services.evaluator.promotion.limits import Limit
from services.evaluator.promotion.ruleset import Ruleset
from services.evaluator.purchases import Wanted
from services.evaluator.redemption import Redemption
from services.evaluator.rulesets import Rulesets
from services.evaluator.store import accounts as account_store
from services.evaluator.store import guessing as guessing_store
from services.evaluator.store import holds as hold_store
from services.evaluator.store import limits as limit_store
from services.evaluator.store import purchases as purchase_store
from services.evaluator.store import reference as reference_store
from services.evaluator.store.reference import KnownCode, KnownCustomer, Place, Versions
from shared import clock
from shared.database import Connection

CHANGING_S = 1.0
"""How old what sales change may be: counters, purchases, holds, failed codes; and that something is not
there."""
LASTING_S = 10.0
"""How old what emission says may be: stores, customers' groups, which emission a code is of; and points, which
would cost a tenth of a quote to know better."""
_PULSE_S = 0.25
"""How often it is looked whether the rules have changed, and whether PostgreSQL is there."""
_RULES_WITHIN_S = 60.0
"""A hundred thousand campaigns take a quarter of that."""
_MOST = 20_000
_MOST_HISTORIES = 5_000
"""A history is some ten kilobytes, other facts some hundred bytes."""


class PurchasesOf(NamedTuple):
    """Whose purchases from when on, and how many earlier ones, as ``purchases.Wanted``."""

    customer_id: str
    since: datetime
    first: int


class Count(NamedTuple):
    """A limit's counter; a rolling one's uses after ``since``, a whole minute."""

    limit_id: str
    since: datetime | None


class Known:
    """Rules and facts in memory."""

    def __init__(self, pool: asyncpg.Pool, rulesets: Rulesets) -> None:
        self.source = source = Source(pool)
        self._rulesets = rulesets
        self._clock: tuple[datetime, float] | None = None
        lasting, changing = (_MOST, LASTING_S, CHANGING_S), (_MOST, CHANGING_S, CHANGING_S)
        self.places: Lookup[str, Place] = Lookup(source, Memory(*lasting), reference_store.places)
        self.customers: Lookup[str, KnownCustomer] = Lookup(
            source, Memory(*lasting), reference_store.known_customers
        )
        self.codes: Lookup[bytes, KnownCode] = Lookup(
            source, Memory(*lasting), reference_store.known_codes
        )
        self.purchases: Lookup[PurchasesOf, Sequence[Purchase]] = Lookup(
            source, Memory(_MOST_HISTORIES, CHANGING_S, CHANGING_S), _purchases
        )
        self.counters: Lookup[Count, Counter] = Lookup(source, Memory(*changing), _counters)
        self.tallies: Lookup[Subject, Tally] = Lookup(
            source, Memory(*changing), guessing_store.tallies
        )
        self.holds: Lookup[str, Sequence[Redemption]] = Lookup(
            source, Memory(*changing), hold_store.held_by
        )
        self.funds: Lookup[str, Funds] = Lookup(source, Memory(*lasting), self._funds)
        self.payments: Lookup[str, Payment] = Lookup(
            source, Memory(*changing), account_store.payments_of
        )

    @property
    def ruleset(self) -> Ruleset | None:
        """The rules; None while PostgreSQL has never answered."""
        return self._rulesets.latest if self._clock else None

    def now(self) -> datetime:
        """The arbiter's clock, as it goes on by our own since it was read. ``ruleset`` is not None."""
        if self._clock is None:
            message = "the arbiter's clock has not been read"
            raise RuntimeError(message)
        read, at = self._clock
        return read + timedelta(seconds=clock.monotonic() - at)

    async def watch(self) -> None:
        """Keep the rules and the clock as they are in PostgreSQL; wait for it when it is away."""
        while True:
            with suppress(AwayError):  # ``source.away`` says so
                await self.refresh()
            await asyncio.sleep(_PULSE_S)

    async def refresh(self) -> None:
        """Look once. Raises ``AwayError``."""
        versions, now = await self.source.probe(_pulse)
        at = clock.monotonic()
        if versions != self._rulesets.versions:
            await self.source.probe(self._load_rules, _RULES_WITHIN_S)
        self._clock = now, at

    async def _funds(
        self, connection: Connection, customer_ids: Collection[str]
    ) -> dict[str, Funds]:
        return await account_store.funds_of(connection, customer_ids, self.now())

    async def _load_rules(self, connection: Connection) -> None:
        await self._rulesets.current(connection, lock=False)


async def _pulse(connection: Connection) -> tuple[Versions, datetime]:
    return await reference_store.ruleset_versions(connection, lock=False)


def purchases_of(wanted: Mapping[str, Wanted]) -> list[PurchasesOf]:
    """What to look up: from the beginning of a day on, so that it is the same for hours."""
    return [
        PurchasesOf(customer_id, _day(each.since), each.first)
        for customer_id, each in wanted.items()
    ]


def _day(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


async def _purchases(
    connection: Connection, asked: Collection[PurchasesOf]
) -> dict[PurchasesOf, Sequence[Purchase]]:
    """One customer asked for in two ways gets what serves both."""
    wanted: dict[str, Wanted] = {}
    for customer_id, since, first in asked:
        other = wanted.get(customer_id, Wanted(since, first))
        wanted[customer_id] = Wanted(min(since, other.since), max(first, other.first))
    found = await purchase_store.histories(connection, wanted)
    return {each: found[each.customer_id] for each in asked}


def counts_of(limits: Iterable[Limit]) -> list[Count]:
    """What to look up. Uses are kept by whole minutes: those after ``since`` are those after its own."""
    return [
        Count(limit.limit_id, limit.since and limit.since.replace(second=0, microsecond=0))
        for limit in limits
    ]


async def _counters(connection: Connection, asked: Collection[Count]) -> dict[Count, Counter]:
    windows: dict[str, tuple[datetime, datetime]] = {}
    for limit_id, since in asked:
        if since is not None:
            first, last = windows.get(limit_id, (since, since))
            windows[limit_id] = min(first, since), max(last, since)
    found = await limit_store.read_limits(connection, {each.limit_id for each in asked}, windows)
    return {each: found[each.limit_id] for each in asked if each.limit_id in found}
