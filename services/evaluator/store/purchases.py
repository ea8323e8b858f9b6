"""Purchases: what each paid receipt sold, what came back of it, and customers' histories."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from services.evaluator.promotion.history import Purchase
from services.evaluator.purchases import (
    PaidReceipt,
    Wanted,
    decode_bought,
    decode_counting,
    encode,
)
from services.evaluator.returns import Returned
from shared.database import Connection

HISTORIES = """
select wanted.customer_id, p.receipt_id, p.occurred_at, p.lines
from unnest($1::text[], $2::timestamptz[], $3::int[]) as wanted (customer_id, since, first),
lateral (
    (select receipt_id, occurred_at, coalesce(remaining, lines) as lines from purchases
     where customer_id = wanted.customer_id and occurred_at < wanted.since and counts
     order by occurred_at, receipt_id collate "C" limit wanted.first)
    union all
    (select receipt_id, occurred_at, coalesce(remaining, lines) from purchases
     where customer_id = wanted.customer_id and occurred_at >= wanted.since)
) as p
order by p.occurred_at, p.receipt_id collate "C"
"""


async def histories(
    connection: Connection, wanted: Mapping[str, Wanted]
) -> dict[str, list[Purchase]]:
    """The purchases that are wanted of each customer, as ``history.ordered``."""
    found: dict[str, list[Purchase]] = {customer: [] for customer in wanted}
    rows = await connection.fetch(
        HISTORIES,
        list(wanted),
        [each.since for each in wanted.values()],
        [each.first for each in wanted.values()],
    )
    for customer_id, receipt_id, occurred_at, lines in rows:
        found[customer_id].append(Purchase(receipt_id, occurred_at, decode_counting(lines)))
    return found


async def paid_receipts(
    connection: Connection, receipt_ids: Collection[str]
) -> dict[str, PaidReceipt]:
    """The known ones of the receipts, locked in the order of their ids: returns must add up."""
    rows = await connection.fetch(
        "select receipt_id, customer_id, occurred_at, lines from purchases"
        " where receipt_id = any($1) order by receipt_id for update",
        sorted(receipt_ids),
    )
    returned: dict[str, dict[int, Returned]] = {}
    for row in await connection.fetch(
        "select receipt_id, line, quantity, refund from returned_lines where receipt_id = any($1)",
        [row["receipt_id"] for row in rows],
    ):
        by_line = returned.setdefault(row["receipt_id"], {})
        by_line[row["line"]] = Returned(row["quantity"], row["refund"])
    return {
        row["receipt_id"]: PaidReceipt(
            row["receipt_id"],
            row["customer_id"],
            row["occurred_at"],
            decode_bought(row["lines"]),
            returned.get(row["receipt_id"], {}),
        )
        for row in rows
    }


async def save(connection: Connection, paid: Sequence[PaidReceipt]) -> None:
    """Add receipts that were paid just now."""
    if paid:
        await connection.copy_records_to_table(
            "purchases",
            records=[
                (p.receipt_id, p.customer_id, p.occurred_at, encode(p.bought), bool(p.bought.lines))
                for p in paid
            ],
            columns=("receipt_id", "customer_id", "occurred_at", "lines", "counts"),
        )


async def save_returned(connection: Connection, changed: Collection[PaidReceipt]) -> None:
    """Save what has come back of receipts and what is left of them; their rows are locked."""
    if not changed:
        return
    left = [(p.receipt_id, p.purchase.lines) for p in changed]
    await connection.execute(
        "update purchases set remaining = new.remaining, counts = new.counts"
        " from unnest($1::text[], $2::bytea[], $3::boolean[])"
        " as new (receipt_id, remaining, counts) where purchases.receipt_id = new.receipt_id",
        [receipt_id for receipt_id, _ in left],
        [encode(lines) for _, lines in left],
        [bool(lines) for _, lines in left],
    )
    lines = [(p.receipt_id, line, r) for p in changed for line, r in p.returned.items()]
    await connection.execute(
        "insert into returned_lines (receipt_id, line, quantity, refund)"
        " select * from unnest($1::text[], $2::int[], $3::bigint[], $4::bigint[])"
        " on conflict (receipt_id, line) do update"
        " set quantity = excluded.quantity, refund = excluded.refund",
        [receipt_id for receipt_id, _, _ in lines],
        [line for _, line, _ in lines],
        [r.quantity for _, _, r in lines],
        [r.refund for _, _, r in lines],
    )


async def forget(connection: Connection, before: datetime, most: int) -> int:
    """Delete the oldest receipts of before then, with their returns; returns how many."""
    rows = await connection.fetch(
        "delete from purchases where receipt_id in ("
        " select receipt_id from purchases where occurred_at < $1"
        " order by occurred_at limit $2 for update skip locked)"
        " returning true",
        before,
        most,
    )
    return len(rows)
