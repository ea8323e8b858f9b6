"""A profile as it is published: what the visits and totals of a customer come to at one moment."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from services.customers.profile import DAY_S, State, Visit, since
from shared.events.customers import (
    BonusPoints,
    Codes,
    Favourite,
    Forecast,
    Profile,
    Rfm,
    Spending,
    Used,
    Visited,
)
from shared.events.values import Currency

_MOST_FAVOURITES = 10
_MOST_STORES = 10
_RECENT_DAYS = 90
_HOURS, _WEEKDAYS = 24, 7
_FIRST_WEEKDAY = 3  # 1 January 1970 was a Thursday; weeks begin on Monday
_ALL = 10_000


def summarise(
    customer_id: str,
    version: int,
    state: State,
    now: datetime,
    *,
    segments: Iterable[str] = (),
    rfm: Rfm | None = None,
    forecast: Forecast | None = None,
) -> Profile:
    """The customer's profile at ``now``; favourites, stores, devices, hours and weekdays are of the kept visits."""
    visits = list(state.live())
    promo_purchases = state.promo_purchases
    hours, weekdays = pattern(visits)
    return Profile(
        customer_id=customer_id,
        version=version,
        as_of=now,
        purchases=state.purchases,
        purchases_90_days=sum(
            1 for _ in since(visits, int(now.timestamp()) - _RECENT_DAYS * DAY_S)
        ),
        first_purchase_at=_instant(state.first_at) if state.purchases else None,
        last_purchase_at=last_purchase_at(state) if state.purchases else None,
        spending=tuple(
            Spending(
                currency=Currency(currency),
                purchases=spent.purchases,
                discount=max(0, spent.discount),
                paid=spent.paid,
                refunded=spent.refunded,
            )
            for currency, spent in sorted(state.spent.items())
        ),
        promo_purchases=promo_purchases,
        promo_share=promo_purchases * _ALL // state.purchases if state.purchases else 0,
        returns=state.returns,
        favourites=favourites(state, visits),
        stores=tuple(
            Visited(store_id=state.names[store], purchases=purchases)
            for store, purchases in _ranked(state, Counter(v.store for v in visits), _MOST_STORES)
        ),
        devices=tuple(
            Used(device=state.names[device], purchases=purchases)  # type: ignore[arg-type]  # by its contract
            for device, purchases in _ranked(state, Counter(v.device for v in visits), _MOST_STORES)
        ),
        hours=hours,
        weekdays=weekdays,
        codes=_codes(state),
        bonuses=BonusPoints(
            earned=max(0, state.points.earned),
            spent=max(0, state.points.spent),
            expired=max(0, state.points.expired),
            taken_back=max(0, state.points.taken_back),
            balance=state.points.balance,
        ),
        segments=tuple(sorted(segments)),
        rfm=rfm,
        forecast=forecast,
    )


def last_purchase_at(state: State) -> datetime | None:
    """When the latest purchase was that did not come back."""
    latest = next((visit.at for visit in reversed(state.visits) if not visit.returned), None)
    return _instant(state.forgotten_at if latest is None else latest)


def favourites(
    state: State, visits: Sequence[Visit], most: int = _MOST_FAVOURITES
) -> tuple[Favourite, ...]:
    """The groups on the most visits; of two on as many, the one that more was paid for."""
    sums: dict[tuple[int, int], list[int]] = {}
    for visit in visits:
        for bought in visit.goods:
            if bought.quantity > 0 and state.names[bought.group]:
                counted = sums.setdefault((bought.group, visit.currency), [0, 0, 0])
                counted[0] += 1
                counted[1] += bought.quantity
                counted[2] += bought.paid
    names = state.names
    ranked = sorted(sums.items(), key=lambda one: (-one[1][0], -one[1][2], names[one[0][0]]))
    return tuple(
        Favourite(
            group=names[group],
            currency=Currency(names[currency]),
            purchases=purchases,
            quantity=quantity,
            paid=paid,
        )
        for (group, currency), (purchases, quantity, paid) in ranked[:most]
    )


def _ranked(state: State, counts: Counter[int], most: int) -> list[tuple[int, int]]:
    return sorted(counts.items(), key=lambda one: (-one[1], state.names[one[0]]))[:most]


def pattern(visits: Iterable[Visit]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """How many purchases were made in each hour and on each weekday, by the stores' clocks."""
    hours, weekdays = [0] * _HOURS, [0] * _WEEKDAYS
    for visit in visits:
        local = visit.at + visit.offset_minutes * 60
        hours[local % DAY_S // 3600] += 1
        weekdays[(local // DAY_S + _FIRST_WEEKDAY) % _WEEKDAYS] += 1
    return tuple(hours), tuple(weekdays)


def _codes(state: State) -> Codes:
    """Of personal codes those count that were given to this very customer."""
    given = [count for count in state.codes.values() if count.offered]
    used = sum(min(count.used, count.offered) for count in given)
    offered = sum(count.offered for count in given)
    return Codes(
        offered=offered, used=used, unused=offered - used, receipts_with_code=state.with_code
    )


def _instant(at: int | None) -> datetime | None:
    return None if at is None else datetime.fromtimestamp(at, UTC)
