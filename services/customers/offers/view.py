"""What planning must know of customers, gathered in a few statements for many of them."""

from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cache
from zoneinfo import ZoneInfo

from services.customers.forecast.store import Expect
from services.customers.offers.plan import Customer
from services.customers.profile import State, Visit, unpack
from services.customers.summary import last_purchase_at, pattern
from shared.database import Connection
from shared.events.customers import Forecast

SegmentsOf = Callable[[Connection, Collection[str]], Awaitable[Mapping[str, Collection[str]]]]
BlockedAmong = Callable[[Connection, Collection[str]], Awaitable[Collection[str]]]
_ALL = 10_000  # basis points


@dataclass(frozen=True)
class Knowledge:
    """Where it is known who is in which segments, what is forecast, and from whom promotions are withheld."""

    segments_of: SegmentsOf
    expect: Expect
    blocked_among: BlockedAmong

    async def customers(
        self, connection: Connection, customer_ids: Collection[str]
    ) -> dict[str, Customer]:
        """The customers of whom there is a profile."""
        ids = sorted(set(customer_ids))
        rows = await connection.fetch(
            "select customer_id, state from profiles where customer_id = any($1)", ids
        )
        if not rows:
            return {}
        segments = await self.segments_of(connection, ids)
        forecasts = await self.expect(connection, ids)
        blocked = set(await self.blocked_among(connection, ids))
        states = {row["customer_id"]: unpack(row["state"]) for row in rows}
        homes = {customer_id: home(state) for customer_id, state in states.items()}
        stores = await _stores(connection, {store for store in homes.values() if store})
        return {
            customer_id: _customer(
                customer_id,
                state,
                homes[customer_id],
                stores,
                frozenset(segments.get(customer_id, ())),
                forecasts.get(customer_id),
                blocked=customer_id in blocked,
            )
            for customer_id, state in states.items()
        }


def home(state: State) -> str | None:
    """The store of most of the visits that are kept; of two the one whose id comes first."""
    counts = Counter(visit.store for visit in state.live())
    names = state.names
    best = min(counts, key=lambda store: (-counts[store], names[store]), default=None)
    return None if best is None else names[best]


def _customer(
    customer_id: str,
    state: State,
    store_id: str | None,
    stores: Mapping[str, tuple[str, str]],
    segments: frozenset[str],
    forecast: Forecast | None,
    *,
    blocked: bool,
) -> Customer:
    visits = list(state.live())
    region, zone = stores.get(store_id or "", (None, None))
    purchases = state.purchases
    return Customer(
        customer_id,
        segments,
        forecast.probability if forecast else None,
        forecast.expected_on if forecast else None,
        purchases,
        last_purchase_at(state) if purchases else None,
        state.promo_purchases * _ALL // purchases if purchases else 0,
        store_id,
        region,
        _zone(zone) if zone else None,
        pattern(visits)[0],
        _averages(state, visits),
        blocked,
    )


def _averages(state: State, visits: list[Visit]) -> dict[str, int]:
    """What a receipt comes to on average (minor units), by currency."""
    sums: dict[int, list[int]] = {}
    for visit in visits:
        one = sums.setdefault(visit.currency, [0, 0])
        one[0] += 1
        one[1] += visit.paid
    return {
        state.names[currency]: max(0, paid) // count for currency, (count, paid) in sums.items()
    }


async def _stores(connection: Connection, store_ids: Collection[str]) -> dict[str, tuple[str, str]]:
    """Region and time zone of stores."""
    rows = await connection.fetch(
        "select store_id, region, time_zone from stores where store_id = any($1)", sorted(store_ids)
    )
    return {row[0]: (row[1], row[2]) for row in rows}


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
