"""Erasures: who is to be forgotten, and what every table has of them.

Whoever decides has the rules' row, shared, from beginning to end. Here it is taken for itself before anything is changed
that carts and sales have in their hands: limits, purchases, accounts. What may take long is done or found before that.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.evaluator.certificate import owner
from services.evaluator.erasure import Event, renamed, without
from services.evaluator.purchases import KEPT
from shared.database import Connection
from shared.events.customers import ErasedTable
from shared.events.reference import NOBODY

_EVENTS_AT_ONCE = 200
_DAY = timedelta(days=1)
_LONGEST_TRANSACTION = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Asked:
    """A customer to be forgotten."""

    erasure_id: str
    customer_id: str


@dataclass
class Tally:
    """How many rows of each table were deleted, and kept without the id."""

    deleted: Counter[str] = field(default_factory=Counter)
    anonymised: Counter[str] = field(default_factory=Counter)

    @property
    def tables(self) -> tuple[ErasedTable, ...]:
        """By table, those too that had nothing."""
        names = sorted({*self.deleted, *self.anonymised})
        return tuple(
            [
                ErasedTable(table=n, deleted=self.deleted[n], anonymised=self.anonymised[n])
                for n in names
            ]
        )

    async def delete(self, connection: Connection, table: str, where: str, *values: object) -> int:
        """Delete rows; how many."""
        count = _count(await connection.execute(f"delete from {table} where {where}", *values))  # noqa: S608 - of our own
        self.deleted[table] += count
        return count

    async def change(self, connection: Connection, table: str, how: str, *values: object) -> None:
        """Update rows."""
        self.anonymised[table] += _count(await connection.execute(f"update {table} {how}", *values))


def _count(status: str) -> int:
    return int(status.rsplit(maxsplit=1)[-1])


async def ask(connection: Connection, asked: Iterable[tuple[str, str, datetime]]) -> None:
    """Note customers to be forgotten: (erasure id, customer id, when that was asked). Each erasure is done once."""
    await connection.executemany(
        "insert into erasures (erasure_id, customer_id, asked_at) values ($1, $2, $3)"
        " on conflict do nothing",
        list(asked),
    )


async def due(connection: Connection, until: datetime) -> Asked | None:
    """The oldest that was asked before then, for this transaction alone; None if there is none."""
    row = await connection.fetchrow(
        "select erasure_id, customer_id from erasures where done_at is null and asked_at <= $1"
        " order by asked_at, erasure_id limit 1 for update skip locked",
        until,
    )
    return Asked(*row) if row else None


async def done(connection: Connection, erasure_id: str, now: datetime) -> None:
    """Keep only that it was done."""
    await connection.execute(
        "update erasures set customer_id = null, done_at = $2 where erasure_id = $1",
        erasure_id,
        now,
    )


async def erase_events(
    connection: Connection, customer_id: str, now: datetime, tally: Tally
) -> None:
    """Take the customer out of recorded events, however old."""
    keys = await _events(connection, customer_id, now)
    await _anonymise(
        connection, [*keys, *await _unsaid_events(connection, customer_id)], customer_id, tally
    )


async def erase_recent_events(
    connection: Connection, customer_id: str, now: datetime, tally: Tally
) -> set[str]:
    """Take the customer out of events that were recorded meanwhile; the receipts that they are of."""
    keys = await _events(connection, customer_id, now)
    return await _anonymise(connection, keys, customer_id, tally)


async def _anonymise(
    connection: Connection, keys: Sequence[bytes], customer_id: str, tally: Tally
) -> set[str]:
    receipts: set[str] = set()
    for start in range(0, len(keys), _EVENTS_AT_ONCE):
        rows = await connection.fetch(
            "select event_key, receipt_id, customer_id, told_customer_id, body, decision, answer, facts"
            " from checkout_events where event_key = any($1)",
            keys[start : start + _EVENTS_AT_ONCE],
        )
        changed = [(key, without(Event(*fields), customer_id)) for key, _, *fields in rows]
        await connection.executemany(
            "update checkout_events set customer_id = $2, told_customer_id = $3, body = $4,"
            " decision = $5, answer = $6, facts = $7 where event_key = $1",
            [
                (key, e.customer_id, e.told_customer_id, e.body, e.decision, e.answer, e.facts)
                for key, e in changed
            ],
        )
        tally.anonymised["checkout_events"] += len(rows)
        receipts.update([row["receipt_id"] for row in rows])
    return receipts


async def _events(connection: Connection, customer_id: str, now: datetime) -> list[bytes]:
    days = [(now - n * _DAY).date() for n in range(-1, KEPT.days + 2)]
    rows = await connection.fetch(
        "select event_key from checkout_events"
        " where (received_at at time zone 'UTC')::date = any($2) and customer_id = $1"
        " and customer_id <> '' union"
        " select event_key from checkout_events where told_customer_id = $1",
        customer_id,
        days,
    )
    return [row["event_key"] for row in rows]


async def _unsaid_events(connection: Connection, customer_id: str) -> list[bytes]:
    """Those that an earlier version kept, by what they say: a day at a time."""
    first, last = await connection.fetchrow(
        "select min(received_at), max(received_at) from checkout_events where customer_id is null"
    ) or (None, None)
    found: list[bytes] = []
    while first is not None and last is not None and first <= last:
        rows = await connection.fetch(
            "select event_key from checkout_events where customer_id is null"
            " and received_at >= $2 and received_at < $3 and (position($1::bytea in body) > 0"
            " or position($1 in decision) > 0 or position($1 in answer) > 0"
            " or position($1 in facts) > 0)",
            customer_id.encode(),
            first,
            first + _DAY,
        )
        found += [row["event_key"] for row in rows]
        first += _DAY
    return found


async def limits_of(connection: Connection, customer_id: str) -> list[str]:
    """The limits that count for the customer alone."""
    rows = await connection.fetch(
        "select limit_id from limits where limit_id like '%/~customer%'"
        " and substring(limit_id from '/~customer[a-z.]*=([^,@]+)') = $1",
        customer_id,
    )
    return [row["limit_id"] for row in rows]


async def taking(connection: Connection, limit_ids: Sequence[str]) -> set[str]:
    """The redemptions that take of these limits, or did: looked for among those of the limits' instruments."""
    found: set[str] = set()
    for campaign_id, instrument_id in {owner(one) for one in limit_ids}:
        rows = await connection.fetch(
            "select redemption_id from redemptions where campaign_id = $1"
            " and ($2::text is null or instrument_id = $2) and limit_ids && $3::text[]",
            campaign_id,
            instrument_id,
            limit_ids,
        )
        found.update([row["redemption_id"] for row in rows])
    return found


async def stop_deciding(connection: Connection) -> None:
    """Wait for all who decide, and have others wait until the commit."""
    await connection.execute("select from ruleset for update")


async def erase_limits(
    connection: Connection,
    customer_id: str,
    name: str,
    known: Collection[str],
    recent: Collection[str],
    tally: Tally,
) -> None:
    """Limits and what takes of them keep their counts under another name.

    ``known`` are the redemptions that ``taking`` has found, ``recent`` the receipts that were decided since.
    """
    limit_ids = await limits_of(connection, customer_id)
    after = [renamed(one, customer_id, name) for one in limit_ids]
    which = "(redemption_id = any($1) or receipt_id = any($2)) and limit_ids && $3::text[]"
    asked = list(known), list(recent), limit_ids
    # In the order of all who lock: receipts, then limits.
    their = f"receipt_id in (select receipt_id from redemptions where {which})"  # noqa: S608 - of our own
    await connection.execute(
        f"select from receipts where {their} order by receipt_id for update",
        *asked,
    )
    found = await connection.fetch(
        f"select redemption_id, limit_ids from redemptions where {which}",  # noqa: S608 - of our own
        *asked,
    )
    how = "set limit_id = new.after from unnest($1::text[], $2::text[]) as new (before, after)"
    for table in ("limits", "limit_uses", "limit_days"):
        await tally.change(
            connection, table, f"{how} where limit_id = new.before", limit_ids, after
        )
    await connection.executemany(
        "update redemptions set limit_ids = $2 where redemption_id = $1",
        [(row[0], [renamed(one, customer_id, name) for one in row[1]]) for row in found],
    )
    tally.anonymised["redemptions"] += len(found)


async def erase_rewards(connection: Connection, customer_id: str, name: str, tally: Tally) -> None:
    """What was given at the ends of periods stays given, under another name."""
    rewards = await connection.fetch(
        "select campaign_id, instrument_id, period_start, limit_ids from period_rewards"
        " where customer_id = $1",
        customer_id,
    )
    await connection.executemany(
        "update period_rewards set customer_id = $5, limit_ids = $6 where campaign_id = $1"
        " and instrument_id = $2 and period_start = $3 and customer_id = $4",
        [
            (*key, customer_id, name, [renamed(one, customer_id, name) for one in taken])
            for *key, taken in rewards
        ],
    )
    tally.anonymised["period_rewards"] += len(rewards)


async def erase_purchases(connection: Connection, customer_id: str, tally: Tally) -> None:
    """Receipts stay, without a customer; how far periods are closed is told by the customer before."""
    mine = "customer_id = $1"
    await tally.change(connection, "purchases", f"set customer_id = null where {mine}", customer_id)
    await tally.delete(connection, "late_purchases", mine, customer_id)
    await tally.change(
        connection,
        "closings",
        "set last_customer = coalesce((select max(customer_id) from purchases where customer_id < $1), '')"
        " where last_customer = $1",
        customer_id,
    )


async def erase_points(
    connection: Connection, customer_id: str, names: Mapping[str, str], tally: Tally
) -> None:
    """The account becomes part of nobody's; ``names`` are new ones for entries, lots and rewards that were named after the customer."""
    await connection.execute(
        "insert into bonus_accounts (customer_id) values ($1) on conflict do nothing", NOBODY
    )
    rows = await connection.fetch(
        "select customer_id, debt from bonus_accounts where customer_id = any($1)"
        " order by customer_id for update",
        [customer_id, NOBODY],
    )
    debts: dict[str, int] = {row["customer_id"]: row["debt"] for row in rows}
    await _rename_entries(connection, names)
    account = f"customer/{customer_id}"
    entries = await connection.fetch(
        "update bonus_entries set account = $2 where account = $1 returning entry_id",
        account,
        f"customer/{NOBODY}",
    )
    tally.anonymised["bonus_entries"] += len(entries)
    await tally.change(
        connection,
        "bonus_lots",
        "set customer_id = $2 where customer_id = $1 and (points > 0 or lot_id = any($3))",
        customer_id,
        NOBODY,
        [row["entry_id"] for row in entries],
    )
    payments = await connection.fetch(
        "select receipt_id, part_lots from bonus_payments where customer_id = $1", customer_id
    )
    await connection.executemany(
        "update bonus_payments set customer_id = $2, part_lots = $3 where receipt_id = $1",
        [(name, NOBODY, [names.get(lot, lot) for lot in lots]) for name, lots in payments],
    )
    tally.anonymised["bonus_payments"] += len(payments)
    await connection.execute(
        "update bonus_accounts set debt = debt + $2 where customer_id = $1",
        NOBODY,
        debts.get(customer_id, 0),
    )
    await tally.delete(connection, "bonus_accounts", "customer_id = $1", customer_id)


async def entries_named_after(connection: Connection, customer_id: str) -> list[str]:
    """What was named after the customer: rewards of periods, their lots and what became of these."""
    rows = await connection.fetch(
        "select entry_id, redemption_id from bonus_entries where account = $1"
        " and (redemption_id like 'p-%' or entry_id like '%b-p-%')",
        f"customer/{customer_id}",
    )
    return sorted({name for row in rows for name in row if name})


async def _rename_entries(connection: Connection, names: Mapping[str, str]) -> None:
    columns = [*names], [*names.values()]
    new = "from unnest($1::text[], $2::text[]) as new (before, after)"
    named = f"redemption_id = new.after {new} where redemption_id = new.before"
    for change in (
        f"bonus_entries set {named} and entry_id = any($1)",
        f"bonus_entries set entry_id = new.after {new} where entry_id = new.before",
        f"bonus_lots set lot_id = new.after {new} where lot_id = new.before",
    ):
        await connection.execute(f"update {change}", *columns)


async def erase_what_is_known(connection: Connection, customer_id: str, tally: Tally) -> bool:
    """What other services say of the customer; their codes are nobody's. Whether they were blocked (``blocks.changed``)."""
    mine = "customer_id = $1"
    await tally.delete(connection, "customers", mine, customer_id)
    await tally.delete(connection, "customer_segments", mine, customer_id)
    rows = await connection.fetch("select digest from codes where holder = $1", customer_id)
    digests = [row["digest"] for row in rows]
    await tally.change(
        connection, "codes", "set holder = $2 where digest = any($1)", digests, NOBODY
    )
    blocked = "kind = 'customer' and subject = $1"
    return await tally.delete(connection, "blocks", blocked, customer_id) > 0


async def answered(
    connection: Connection, customer_id: str, since: datetime | None = None
) -> list[bytes]:
    """The keys of requests whose answers name the customer, of those answered ``since``."""
    rows = await connection.fetch(
        "select key from idempotency_keys where position($1::bytea in body) > 0"
        " and created_at >= coalesce($2, '-infinity'::timestamptz)",
        customer_id.encode(),
        since,
    )
    return [row["key"] for row in rows]


async def erase_answers(
    connection: Connection,
    customer_id: str,
    known: Sequence[bytes],
    began: datetime,
    tally: Tally,
) -> None:
    """Forget what requests were answered with, ``known`` by ``began`` and since; and failed codes held against the customer."""
    recent = await answered(connection, customer_id, began - _LONGEST_TRANSACTION)
    await tally.delete(connection, "idempotency_keys", "key = any($1)", [*known, *recent])
    await tally.delete(
        connection,
        "guesses",
        "realm = any('{till,web,anonymous}') and who = 'customer' and name = $1",
        customer_id,
    )
