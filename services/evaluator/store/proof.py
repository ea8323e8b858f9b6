"""The ledger's side of the proof: its sums, what decisions granted, bonuses, and what it has sent.

All in the caller's repeatable-read transaction, so that it is one instant of the ledger.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from services.evaluator.redemption import Key
from shared import outbox
from shared.database import Connection

_MOST_NAMED = 5
_SUMS = """
with activations as (
    select *, status in ('committed', 'returned') as activation, status = 'unauthorised' as wrong
    from redemptions
)
select campaign_id, instrument_id,
    count(*) filter (where activation) as activations,
    coalesce(sum(discount) filter (where activation), 0)::bigint as discount,
    coalesce(sum(bonuses) filter (where activation), 0)::bigint as bonuses,
    count(*) filter (where status = 'returned') as returned,
    count(*) filter (where status = 'returned' and not keeps_slot) as released,
    coalesce(sum(returned) filter (where activation), 0)::bigint as discount_returned,
    coalesce(sum(bonuses_returned) filter (where activation), 0)::bigint as bonuses_returned,
    count(*) filter (where wrong) as unauthorised,
    coalesce(sum(discount) filter (where wrong), 0)::bigint as unauthorised_discount,
    coalesce(sum(returned) filter (where wrong), 0)::bigint as unauthorised_returned
from activations where activation or wrong group by 1, 2
"""
# Of paid receipts. What a benefit was decided to be is what was given less the mismatch, whatever
# became of it; one that was decided and is not there was not given. What was not decided is
# unauthorised, or bonuses of a card shown after the decision.
_DECISIONS = """
with granted as (
    select r.receipt_id, a.*
    from receipts r join checkout_events e on e.event_key = r.decided_by,
        json_to_recordset(convert_from(e.decision, 'UTF8')::json -> 'applied')
            as a (campaign_id text, instrument_id text, discount bigint)
    where r.status = 'paid'
), booked as (
    select m.receipt_id, campaign_id, instrument_id, m.status, discount, mismatch, bonuses
    from redemptions m join receipts r using (receipt_id)
        join checkout_events e on e.event_key = r.decided_by
    where r.status = 'paid'
), both_sides as (
    select receipt_id, campaign_id, instrument_id, b.status, g.discount as granted, b.discount,
        coalesce(b.mismatch, 0) as mismatch, b.bonuses, g.discount is not null as decided,
        coalesce(b.status in ('committed', 'returned'), false) as given
    from granted g full join booked b using (receipt_id, campaign_id, instrument_id)
), explained as (
    select *, case
        when decided then status is null or granted = discount - mismatch
        when given then discount = 0 and bonuses > 0
        when status = 'unauthorised' then mismatch = discount
        else true end as explained
    from both_sides
)
select campaign_id, instrument_id,
    count(*) filter (where decided) as granted,
    count(*) filter (where given) as committed,
    count(*) filter (where decided and status = 'unauthorised') as unauthorised,
    count(*) filter (where decided and not given and status is distinct from 'unauthorised') as not_given,
    count(*) filter (where given and not decided) as earned_late,
    coalesce(sum(granted), 0)::bigint as granted_discount,
    coalesce(sum(discount) filter (where given), 0)::bigint as committed_discount,
    coalesce(sum(mismatch) filter (where given), 0)::bigint as mismatch,
    coalesce(sum(granted) filter (where status = 'unauthorised'), 0)::bigint as unauthorised_discount,
    coalesce(sum(granted) filter (where not given and status is distinct from 'unauthorised'), 0)::bigint
        as not_given_discount,
    coalesce((array_agg(receipt_id) filter (where not explained))[1:5], '{}') as unexplained
from explained where decided or given or status = 'unauthorised'
group by 1, 2
"""
_UNBALANCED = """
select entry_id, sum(points)::bigint as points from bonus_entries
group by entry_id having sum(points) <> 0 order by entry_id limit $1
"""
_ACCOUNTS = """
with entered as (
    select substr(account, 10) as customer_id, sum(points)::bigint as points from bonus_entries
    where account like 'customer/%' group by 1
), kept as (
    select customer_id, coalesce((select sum(points) from bonus_lots l
        where l.customer_id = a.customer_id and points > 0), 0)::bigint as lots, debt
    from bonus_accounts a
)
select count(*) filter (where coalesce(points, 0) <> coalesce(lots - debt, 0)) as different,
    coalesce(sum(points), 0)::bigint as points,
    coalesce(sum(lots), 0)::bigint as lots, coalesce(sum(debt), 0)::bigint as debt
from entered full join kept using (customer_id)
"""


@dataclass(frozen=True, slots=True)
class Decided:
    """What decisions on paid receipts granted of an instrument, and what became of it.

    ``unexplained``: receipts on which what was committed is not what was granted, and no mismatch says why.
    """

    granted: int
    committed: int
    unauthorised: int
    not_given: int
    earned_late: int
    granted_discount: int
    committed_discount: int
    mismatch: int
    unauthorised_discount: int
    not_given_discount: int
    unexplained: list[str]


@dataclass(frozen=True, slots=True)
class Bonuses:
    """``entered``: Σ of all entries; ``unbalanced``: entries that do not add up to zero, by name.

    ``different`` customers have not in their lots, less their debt, what their entries add up to.
    """

    entered: int
    unbalanced: Mapping[str, int]
    different: int
    points: int
    lots: int
    debt: int


@dataclass(frozen=True, slots=True)
class Cut:
    """Which messages tell what the ledger has: those of ``producer`` up to ``number``, and ``waiting``.

    ``waiting`` are the events (their ids) of rows of the outbox that had no numbers yet.
    """

    producer: UUID
    number: int
    waiting: frozenset[str]
    rows: tuple[int, ...]


async def sums(connection: Connection) -> dict[Key, dict[str, int]]:
    """What every instrument has given, by figure: of activations, returns, and what was without right."""
    found = {}
    for row in await connection.fetch(_SUMS):
        fields = dict(row)
        found[fields.pop("campaign_id"), fields.pop("instrument_id")] = fields
    return found


async def receipts(connection: Connection) -> int:
    """How many receipts are paid."""
    return int(await connection.fetchval("select count(*) from receipts where status = 'paid'"))


async def decided(connection: Connection) -> dict[Key, Decided]:
    """What decisions granted, by instrument; of receipts whose decisions are still kept."""
    found = {}
    for row in await connection.fetch(_DECISIONS):
        fields = dict(row)
        key = (fields.pop("campaign_id"), fields.pop("instrument_id"))
        found[key] = Decided(**fields)
    return found


async def bonuses(connection: Connection) -> Bonuses:
    """Whether the bonus ledger balances, and agrees with the customers' lots."""
    unbalanced = await connection.fetch(_UNBALANCED, _MOST_NAMED)
    [accounts] = await connection.fetch(_ACCOUNTS)
    entered = await connection.fetchval(
        "select coalesce(sum(points), 0)::bigint from bonus_entries"
    )
    return Bonuses(entered, {r["entry_id"]: r["points"] for r in unbalanced}, *accounts.values())


async def cut(connection: Connection) -> Cut:
    """What has been said of the ledger as it is."""
    [row] = await connection.fetch("select producer, last_number from outbox_producer")
    rows = await connection.fetch("select id, packed from outbox where number is null")
    names = frozenset(
        value.decode()
        for waiting in rows
        for _, _, _, headers in outbox.unpack(waiting["packed"])
        for name, value in headers
        if name == "ce_id" and value
    )
    return Cut(row["producer"], row["last_number"], names, tuple(r["id"] for r in rows))


async def unsent(connection: Connection, cut: Cut) -> int:
    """How many rows of the outbox are still to be sent of those that were there."""
    return int(
        await connection.fetchval(
            "select count(*) from outbox where number <= $1 or id = any($2)", cut.number, cut.rows
        )
    )
