"""What marketers learn, read from the tables that ``store`` writes."""

from collections.abc import Sequence
from datetime import date, datetime
from operator import add
from typing import Any, NamedTuple

from msgspec.json import Decoder

from services.analytics.days import Days
from services.analytics.dimensions import Selection
from services.analytics.insight.caps import Cap, spans_of_levels, whole_hour
from services.analytics.insight.customers import unpack
from services.analytics.insight.effectiveness import Arm
from shared.database import Connection

_SELECTED = """
    day between $1 and $2
    and ($3::text is null or campaign_id = $3)
    and place_id = any(array(
        select place_id from places where currency = $7 and case
            when coalesce($4::text, $5::text, $6::text) is null
                then store_id = '' and device = '' and region = ''
            else store_id <> '' and ($4 is null or store_id = $4)
                and ($5 is null or device = $5) and ($6 is null or region = $6) end))
"""
_CAMPAIGNS = f"""
select campaign_id, sum(c.receipts)::bigint as receipts, sum(units)::bigint as units,
    sum(c.discount)::bigint as discount, sum(revenue)::bigint as revenue,
    sum(returned_discount)::bigint as returned_discount, sum(refunded)::bigint as refunded
from campaign_days c where {_SELECTED}
group by campaign_id
"""  # noqa: S608 - built from constants


async def campaigns(
    connection: Connection, selection: Selection, days: Days
) -> dict[str, dict[str, int]]:
    """The sums of each campaign's receipts, by its id; the selection names one currency."""
    rows = await connection.fetch(_CAMPAIGNS, *_arguments(selection, days))
    return {
        row["campaign_id"]: {k: v for k, v in row.items() if k != "campaign_id"} for row in rows
    }


def _arguments(selection: Selection, days: Days) -> tuple[date | str | None, ...]:
    return (
        *days.bounds,
        selection.campaign_id,
        selection.store_id,
        selection.device,
        selection.region,
        selection.currency,
    )


class Known(NamedTuple):
    """A campaign's state; ``control_group`` is in basis points."""

    name: str
    status: str
    control_group: int
    compared_since: datetime


async def known(
    connection: Connection, campaign_ids: Sequence[str] | None = None
) -> dict[str, Known]:
    """The campaigns as they were last heard of, by id; of these ids, or all."""
    rows = await connection.fetch(
        "select c.campaign_id, name, status, coalesce(control_group, 0) as control_group,"
        " greatest(starts_at, compared_since) as compared_since"
        " from campaigns c left join campaign_terms using (campaign_id)"
        " where $1::text[] is null or c.campaign_id = any($1)",
        campaign_ids,
    )
    return {
        row["campaign_id"]: Known(
            row["name"], row["status"], row["control_group"], row["compared_since"]
        )
        for row in rows
    }


_ARMS = """
with compared as (
    select comparison_id, campaign_id, greatest(starts_at, compared_since) as since, ends_at
    from comparisons join campaigns using (campaign_id) join campaign_terms using (campaign_id)
    where campaign_id = any($1) and currency = $2 and control_group > 0
), refunds as (
    select comparison_id, customer, sum(refunded)::bigint as refunded
    from compared join customer_refunds r
        on r.currency = $2 and r.sold_at >= compared.since and r.sold_at < compared.ends_at
    group by comparison_id, customer
), taken_back as (
    select comparison_id, held_back, sum(refunded)::bigint as refunded,
        sum((revenue - refunded)::numeric ^ 2 - revenue::numeric ^ 2) as squares
    from refunds join participants using (comparison_id, customer)
    where held_back in (true, false) -- so that the key is used
    group by comparison_id, held_back
)
select campaign_id, held_back, customers, receipts,
    revenue - coalesce(refunded, 0) as revenue,
    (arms.squares + coalesce(taken_back.squares, 0))::float8 as squares
from compared join arms using (comparison_id)
left join taken_back using (comparison_id, held_back)
"""


class Compared(NamedTuple):
    """The two arms of a campaign, all over its time and places."""

    treated: Arm = Arm()
    held_back: Arm = Arm()


async def arms(
    connection: Connection, campaign_ids: Sequence[str], currency: str
) -> dict[str, Compared]:
    """What the customers of both arms paid in the currency, by campaign; refunds of it taken off."""
    found: dict[str, Compared] = {}
    for campaign_id, held_back, *sums in await connection.fetch(_ARMS, campaign_ids, currency):
        arm = Arm(*sums)
        before = found.get(campaign_id, Compared())
        found[campaign_id] = (
            before._replace(held_back=arm) if held_back else before._replace(treated=arm)
        )
    return found


async def discounts_since(
    connection: Connection, since: dict[str, datetime], currency: str
) -> dict[str, int]:
    """What each campaign's discounts have cost since then, everywhere, less what returns took back."""
    rows = await connection.fetch(
        "select x.campaign_id, sum(discount - returned_discount)::bigint as net"
        " from unnest($1::text[], $2::timestamptz[]) as x (campaign_id, since)"
        " join campaign_days c using (campaign_id) join places p using (place_id)"
        " where c.day >= (x.since at time zone 'UTC')::date and p.currency = $3"
        " and p.store_id = '' and p.device = '' and p.region = '' group by 1",
        list(since),
        list(since.values()),
        currency,
    )
    return {row["campaign_id"]: row["net"] for row in rows}


class Terms(NamedTuple):
    """The caps of a campaign, and when it runs."""

    campaign_id: str
    name: str
    status: str
    time_zone: str
    starts_at: datetime
    ends_at: datetime
    caps: tuple[Cap, ...]


_CAPS = Decoder(tuple[Cap, ...])


async def terms(connection: Connection, campaign_id: str | None) -> list[Terms]:
    """What campaigns that are not finished, or the one, say of caps, by their ids."""
    rows = await connection.fetch(
        "select campaign_id, name, status, time_zone, starts_at, ends_at, terms as caps"
        " from campaigns join campaign_terms using (campaign_id)"
        " where status <> 'finished' and ($1::text is null or campaign_id = $1) order by 1",
        campaign_id,
    )
    return [Terms(**{**row, "caps": _CAPS.decode(row["caps"])}) for row in rows]


class Counted(NamedTuple):
    """Of what uses count, and when: an instrument's or (None) all of a campaign's, of a code or of all."""

    campaign_id: str
    instrument_id: str | None
    emission_id: str | None
    since: datetime
    until: datetime


_COUNTED = """
unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::int[], $6::timestamptz[], $7::timestamptz[])
    as x (n, campaign_id, instrument_id, emission_id, hours, since, until)
join offers o on o.campaign_id = x.campaign_id
    and (x.instrument_id is null or o.instrument_id = x.instrument_id)
    and (x.emission_id is null or o.emission_id = x.emission_id)
join places p on p.store_id = '' and p.device = '' and p.region = ''
"""
_LEVEL = """
on l.hours = x.hours and l.offer_id = o.offer_id and l.place_id = p.place_id
    and l.at >= x.since and l.at < x.until
"""
_USED = f"""
select n, p.currency, sum(l.activations)::bigint as uses, sum(l.discount)::bigint as money,
    0::bigint as returned, 0::bigint as returned_money
from {_COUNTED} join instrument_levels l {_LEVEL} group by n, p.currency
union all
select n, p.currency, 0, 0, sum(l.returned)::bigint, sum(l.returned_discount)::bigint
from {_COUNTED} join take_back_levels l {_LEVEL} group by n, p.currency
"""  # noqa: S608 - built from constants
_HOURLY = f"""
select n, l.at, sum(l.activations)::bigint as uses, sum(l.discount)::bigint as money
from {_COUNTED} join instrument_levels l {_LEVEL}
where l.activations > 0 group by n, l.at
"""  # noqa: S608


class Used(NamedTuple):
    """Redemptions and their discounts (minor units), and what returns have freed of them; in which currencies."""

    uses: int = 0
    money: int = 0
    returned: int = 0
    returned_money: int = 0
    currencies: frozenset[str] = frozenset()


async def used(connection: Connection, counted: Sequence[Counted]) -> list[Used]:
    """What was used of each, everywhere."""
    found = [Used()] * len(counted)
    if not counted:
        return found
    parts = [
        (n, *one[:3], *part)
        for n, one in enumerate(counted)
        for part in spans_of_levels(one.since, one.until)
    ]
    for n, currency, *sums in await connection.fetch(_USED, *_columns(parts)):
        before = found[n]
        uses, money, returned, returned_money = map(add, before[:4], sums)
        currencies = before.currencies | {currency}
        found[n] = Used(uses, money, returned, returned_money, currencies)
    return found


async def hourly(
    connection: Connection, counted: Sequence[Counted]
) -> list[dict[datetime, tuple[int, int]]]:
    """Redemptions and their discounts by the start of each hour, of each."""
    found: list[dict[datetime, tuple[int, int]]] = [{} for _ in counted]
    if not counted:
        return found
    parts = [(n, *one[:3], 1, whole_hour(one.since), one.until) for n, one in enumerate(counted)]
    for n, at, uses, money in await connection.fetch(_HOURLY, *_columns(parts)):
        found[n][at] = (uses, money)
    return found


def _columns(rows: Sequence[tuple[object, ...]]) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)]


_SKETCHES = """
select campaign_id, day, sketch from customer_sketches join campaign_numbers using (campaign_number)
where scope = any($1) and day between $2 and $3 and ($4::text is null or campaign_id = $4)
"""
_PLACES_OF = """
select place_id from places where ($1::text is null or store_id = $1)
    and ($2::text is null or device = $2) and ($3::text is null or region = $3)
    and ($4::text is null or currency = $4) and store_id <> ''
"""


async def buyers(
    connection: Connection, selection: Selection, days: Days
) -> tuple[list[tuple[str, date, bytes]], list[tuple[str, date, int]]]:
    """Who bought: sketches, and customers that are in none yet, each by campaign and day.

    All receipts are those of campaign ``ALL_RECEIPTS``.
    """
    wanted = (selection.store_id, selection.device, selection.region, selection.currency)
    places = {row["place_id"] for row in await connection.fetch(_PLACES_OF, *wanted)}
    match wanted:
        case (None, None, None, None):
            scopes = ["all"]
        case (None, device, None, None):
            scopes = [f"device={device}"]
        case (None, None, region, None):
            scopes = [f"region={region}"]
        case _:
            scopes = [f"place={place}" for place in places]
    sketches = await connection.fetch(_SKETCHES, scopes, *days.bounds, selection.campaign_id)
    waiting = await connection.fetch("select marks from customer_marks")
    numbers = await connection.fetch("select campaign_number, campaign_id from campaign_numbers")
    names = {row["campaign_number"]: row["campaign_id"] for row in numbers}
    first, last = days.bounds
    marks = [
        (names[mark.campaign], mark.date, mark.customer)
        for row in waiting
        for mark in unpack(row["marks"])
        if mark.place in places and first <= mark.date <= last
    ]
    return (
        [(row["campaign_id"], row["day"], row["sketch"]) for row in sketches],
        [m for m in marks if selection.campaign_id in (None, m[0])],
    )


_BASKETS = """
select campaign_id, instrument_id, emission_id, "group", sum(lines)::bigint as lines,
    sum(quantity)::bigint as quantity, sum(amount)::bigint as amount,
    sum(discount)::bigint as discount, sum(covered)::bigint as covered, sum(cost)::bigint as cost
from basket_days
where day between $1 and $2 and currency = $3 and ($4::text is null or campaign_id = $4)
    and ($5::text is null or instrument_id = $5) and ($6::text is null or emission_id = $6)
group by 1, 2, 3, 4
order by sum(amount - discount) desc, 1, 2, 3, 4 limit $7
"""


async def baskets(
    connection: Connection,
    selection: Selection,
    days: Days,
    emission_id: str | None,
    most: int,
) -> list[dict[str, Any]]:
    """What was bought with what, by product group: most revenue first."""
    rows = await connection.fetch(
        _BASKETS,
        *days.bounds,
        selection.currency,
        selection.campaign_id,
        selection.instrument_id,
        emission_id,
        most,
    )
    return [dict(row) for row in rows]


async def only_currency(connection: Connection) -> str | None:
    """What all stores sell in; None if that is more than one currency, or there are no stores."""
    found = await connection.fetch("select distinct currency from stores limit 2")
    return found[0]["currency"] if len(found) == 1 else None
