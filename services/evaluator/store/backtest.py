"""Reads for backtests: which receipts were recorded, their events, and what is known for them."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.evaluator.promotion.history import Purchase
from services.evaluator.purchases import Wanted, decode_counting
from shared.codec import decode
from shared.database import Connection
from shared.events.promotion import Campaign, EmissionSummary


@dataclass(frozen=True, slots=True)
class Listed:
    """A receipt with its events that were decided by rules; with some event if none was."""

    receipt_id: str
    event_keys: Sequence[bytes]
    paid: bool


@dataclass(frozen=True, slots=True)
class Event:
    """A recorded cart or sale; without ``facts`` it was not decided by rules, or before they were kept."""

    event_key: bytes
    kind: str
    body: bytes
    decision: bytes | None
    facts: bytes | None


# A till's clock is at most an hour ahead of ours, but a receipt may come days late.
_SINCE = "received_at >= $1::timestamptz - interval '1 hour' and kind <> 'return'"
_COUNT = f"select count(distinct receipt_id) from checkout_events where {_SINCE}"  # noqa: S608
_LIST = f"""
select e.receipt_id, e.event_keys, coalesce(r.status = 'paid', false) as paid
from (
    select receipt_id, max(received_at) as received_at, coalesce(
        array_agg(event_key) filter (where facts is not null),
        (array_agg(event_key order by event_key))[1:1]
    ) as event_keys
    from checkout_events where {_SINCE} group by receipt_id
) e left join receipts r using (receipt_id)
order by e.received_at, e.receipt_id
"""  # noqa: S608


async def snapshot(connection: Connection) -> str:
    """The name of the transaction's snapshot: others can see what it sees while it is open."""
    return str(await connection.fetchval("select pg_export_snapshot()"))


async def use_snapshot(connection: Connection, name: str) -> None:
    """See what the transaction that exported the snapshot sees; this one must have just begun."""
    if not all(part and part.isalnum() for part in name.split("-")):
        message = "not the name of a snapshot"
        raise ValueError(message)
    # A utility statement: it takes no parameters.
    await connection.execute(f"set transaction snapshot '{name}'")


async def count(connection: Connection, since: datetime) -> int:
    """How many receipts may have occurred since then."""
    return int(await connection.fetchval(_COUNT, since))


async def listed(
    connection: Connection, since: datetime, page: int
) -> AsyncIterator[Sequence[Listed]]:
    """The receipts that may have occurred since then, in the order they came, in pages."""
    cursor = await connection.cursor(_LIST, since)
    while rows := await cursor.fetch(page):
        yield [Listed(row["receipt_id"], row["event_keys"], row["paid"]) for row in rows]


async def events(connection: Connection, event_keys: Collection[bytes]) -> dict[bytes, Event]:
    """The events of these keys."""
    rows = await connection.fetch(
        "select event_key, kind, body, decision, facts from checkout_events"
        " where event_key = any($1)",
        list(event_keys),
    )
    return {row["event_key"]: Event(**row) for row in rows}


_PURCHASES = """
select wanted.customer_id, p.receipt_id, p.occurred_at, p.lines
from unnest($1::text[], $2::timestamptz[], $3::timestamptz[], $4::int[])
    as wanted (customer_id, since, until, first),
lateral (
    (select receipt_id, occurred_at, coalesce(remaining, lines) as lines from purchases
     where customer_id = wanted.customer_id and occurred_at < wanted.since and counts
     order by occurred_at, receipt_id collate "C" limit wanted.first)
    union all
    (select receipt_id, occurred_at, coalesce(remaining, lines) from purchases
     where customer_id = wanted.customer_id
     and occurred_at >= wanted.since and occurred_at < wanted.until)
) as p
order by p.occurred_at, p.receipt_id collate "C"
"""


async def purchases(
    connection: Connection, wanted: Mapping[str, tuple[Wanted, datetime]]
) -> dict[str, list[Purchase]]:
    """The purchases that are wanted of each customer, before the instant, as ``history.ordered``."""
    found: dict[str, list[Purchase]] = {customer: [] for customer in wanted}
    rows = await connection.fetch(
        _PURCHASES,
        list(wanted),
        [asked.since for asked, _ in wanted.values()],
        [until for _, until in wanted.values()],
        [asked.first for asked, _ in wanted.values()],
    )
    for customer_id, receipt_id, occurred_at, lines in rows:
        found[customer_id].append(Purchase(receipt_id, occurred_at, decode_counting(lines)))
    return found


async def known_emissions(
    connection: Connection, emission_ids: Collection[str]
) -> dict[str, EmissionSummary]:
    """What the latest campaigns that ask for codes of these emissions say of them."""
    rows = await connection.fetch(
        "select definition from campaigns c where exists ("
        "  select from jsonb_array_elements(convert_from(c.definition, 'UTF8')::jsonb -> 'emissions') e"
        "  where e ->> 'emission_id' = any($1)"
        ") order by version",
        list(emission_ids),
    )
    campaigns = [decode(Campaign, row["definition"], ignore_unknown=True) for row in rows]
    return {one.emission_id: one for campaign in campaigns for one in campaign.emissions}
