"""Bonus accounts: locked by their rows, with their lots, the payments of receipts, and the ledger."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from services.evaluator.account import Account, Funds, Lot, Part, account_of
from services.evaluator.account import funds as funds_in
from services.evaluator.accounts import Accounts
from services.evaluator.bonuses import accrual_id
from services.evaluator.payment import Payment
from services.evaluator.store import ledger
from shared.database import Connection, Query, together


async def lock_accounts(
    connection: Connection,
    customer_ids: Collection[str],
    now: datetime,
    *,
    receipt_ids: Collection[str] = (),
    redemption_ids: Collection[str] = (),
    earning: Collection[str] = (),
) -> Accounts:
    """Create what is missing and lock all, in the order of ids, so that no two wait crosswise.

    With the accounts come the payments of the receipts, which must be locked, and the accounts of those
    who pay; and the lots that the redemptions gave, also when they are used up. Of those who are only
    ``earning`` no lots are loaded, unless they owe something: they may have saved for years.
    """
    if not customer_ids and not receipt_ids:
        return Accounts((), (), now)
    payments, there = await together(connection, _payments(receipt_ids), _there(customer_ids))
    wanted = sorted({*customer_ids, *(payment.customer_id for payment in payments)})
    if not wanted:
        return Accounts((), payments, now)
    if not there.issuperset(wanted):
        # All is added before anything is locked, both in their order: who waits for a row that another
        # adds holds none that the other wants.
        await connection.execute(
            "insert into bonus_accounts (customer_id) select id from unnest($1::text[]) as new (id)"
            " order by id on conflict do nothing",
            wanted,
        )
    debts: dict[str, int] = await Query(
        "select customer_id, debt from bonus_accounts where customer_id = any($1)"
        " order by customer_id for update",
        (wanted,),
        dict,
    ).of(connection)
    paying = {payment.customer_id for payment in payments}
    light = {i for i, debt in debts.items() if i in earning and i not in paying and not debt}
    whole = {i: debt for i, debt in debts.items() if i not in light}
    lots, used_up = await together(connection, _lots(whole), _used_up(redemption_ids))
    return Accounts(_accounts(whole, [*lots, *used_up]), payments, now, light)


async def funds_of(
    connection: Connection, customer_ids: Collection[str], now: datetime
) -> dict[str, Funds]:
    """What customers have, unlocked: good for advice only. Who has no account has nothing."""
    owing, funds = await together(connection, _owing(customer_ids), _funds(customer_ids, now))
    if owing:
        # What is active pays the debt, in its order.
        lots = await _lots(owing).of(connection)
        funds |= {one.customer_id: funds_in(one, now) for one in _accounts(owing, lots)}
    return funds


async def payments_of(connection: Connection, receipt_ids: Collection[str]) -> dict[str, Payment]:
    """What was paid on receipts with points, or is held for it; unlocked."""
    return {one.receipt_id: one for one in await _payments(receipt_ids).of(connection)}


def _accounts(debts: Mapping[str, int], found: Iterable[tuple[str, Lot]]) -> list[Account]:
    lots: dict[str, list[Lot]] = {customer_id: [] for customer_id in debts}
    for customer_id, lot in found:
        if customer_id in lots:
            lots[customer_id].append(lot)
    return [account_of(customer_id, lots[customer_id], debt) for customer_id, debt in debts.items()]


def _there(customer_ids: Collection[str]) -> Query[set[str]]:
    return Query(
        "select customer_id from bonus_accounts where customer_id = any($1)",
        (list(customer_ids),),
        lambda rows: {customer_id for (customer_id,) in rows},
    )


def _owing(customer_ids: Collection[str]) -> Query[dict[str, int]]:
    """Those who owe points, and how many."""
    return Query(
        "select customer_id, debt from bonus_accounts where customer_id = any($1) and debt > 0",
        (list(customer_ids),),
        dict,
    )


def _funds(customer_ids: Collection[str], now: datetime) -> Query[dict[str, Funds]]:
    """``account.funds`` of those who owe nothing; of a lot that is over only what is held is left."""
    return Query(
        "select id, coalesce(sum(case when ends > $2 then points else held end), 0)::bigint,"
        " coalesce(sum(points - held) filter (where ends > $2), 0)::bigint,"
        " coalesce(sum(held), 0)::bigint"
        " from unnest($1::text[]) as asked (id) left join lateral ("
        "  select points, held, coalesce(expires_at, 'infinity') as ends from bonus_lots"
        "  where customer_id = id and points > 0 and active_at <= $2"
        " ) as active on true group by id",
        (list(customer_ids), now),
        lambda rows: {customer_id: Funds(*sums) for customer_id, *sums in rows},
    )


_LOTS = """
select customer_id, lot_id, campaign_id, points, active_at, expires_at, held, returnable
from bonus_lots where """


def _lots(customer_ids: Collection[str]) -> Query[list[tuple[str, Lot]]]:
    sql = _LOTS + "customer_id = any($1) and points > 0"
    return Query(sql, (list(customer_ids),), _owned)


def _used_up(redemption_ids: Iterable[str]) -> Query[list[tuple[str, Lot]]]:
    sql = _LOTS + "lot_id = any($1) and points = 0"
    return Query(sql, ([accrual_id(one) for one in redemption_ids],), _owned)


def _owned(rows: Iterable[Any]) -> list[tuple[str, Lot]]:
    return [(customer_id, Lot(*fields)) for customer_id, *fields in rows]


def _payments(receipt_ids: Collection[str]) -> Query[list[Payment]]:
    return Query(
        "select receipt_id, customer_id, store_id, status, refunded, expires_at,"
        " part_lots, part_campaigns, part_points, part_left"
        " from bonus_payments where receipt_id = any($1)",
        (list(receipt_ids),),
        lambda rows: [
            Payment(
                receipt_id=receipt_id,
                customer_id=customer_id,
                store_id=store_id,
                status=status,
                parts=tuple(map(Part, *parts)),
                refunded=refunded,
                expires_at=expires_at,
            )
            for receipt_id, customer_id, store_id, status, refunded, expires_at, *parts in rows
        ],
    )


async def save_accounts(connection: Connection, accounts: Accounts) -> None:
    """Save what has changed, and enter what has moved into the ledger."""
    changed = accounts.changed
    owing = accounts.changed_debts
    if owing:
        await connection.execute(
            "update bonus_accounts set debt = new.debt"
            " from unnest($1::text[], $2::bigint[]) as new (id, debt) where customer_id = new.id",
            [*owing],
            [*owing.values()],
        )
    lots = [(account.customer_id, lot) for account in changed for lot in account.lots]
    if lots:
        await _save_lots(connection, lots)
    payments = accounts.changed_payments
    if payments:
        await _save_payments(connection, payments)
    await ledger.save_bonuses(connection, accounts.entries, accounts.now)


async def _save_lots(connection: Connection, lots: Sequence[tuple[str, Lot]]) -> None:
    await connection.execute(
        "insert into bonus_lots (lot_id, customer_id, campaign_id, points, held, returnable,"
        " active_at, expires_at) select * from unnest($1::text[], $2::text[], $3::text[],"
        " $4::bigint[], $5::bigint[], $6::bigint[], $7::timestamptz[], $8::timestamptz[])"
        " on conflict (lot_id) do update set points = excluded.points, held = excluded.held,"
        " returnable = excluded.returnable",
        [lot.lot_id for _, lot in lots],
        [customer_id for customer_id, _ in lots],
        [lot.campaign_id for _, lot in lots],
        [lot.points for _, lot in lots],
        [lot.held for _, lot in lots],
        [lot.returnable for _, lot in lots],
        [lot.active_at for _, lot in lots],
        [lot.expires_at for _, lot in lots],
    )


async def _save_payments(connection: Connection, payments: Sequence[Payment]) -> None:
    # One by one: arrays of arrays cannot differ in length. Few receipts are paid with points.
    await connection.executemany(
        "insert into bonus_payments (receipt_id, customer_id, store_id, status, refunded, expires_at,"
        " part_lots, part_campaigns, part_points, part_left)"
        " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
        " on conflict (receipt_id) do update set customer_id = excluded.customer_id,"
        " store_id = excluded.store_id, status = excluded.status, refunded = excluded.refunded,"
        " expires_at = excluded.expires_at, part_lots = excluded.part_lots,"
        " part_campaigns = excluded.part_campaigns, part_points = excluded.part_points,"
        " part_left = excluded.part_left",
        [
            (
                p.receipt_id,
                p.customer_id,
                p.store_id,
                p.status,
                p.refunded,
                p.expires_at,
                [part.lot_id for part in p.parts],
                [part.campaign_id for part in p.parts],
                [part.points for part in p.parts],
                [part.left for part in p.parts],
            )
            for p in payments
        ],
    )


async def held_over(connection: Connection, until: datetime, most: int) -> list[str]:
    """Receipts whose hold of points ended before ``until``, oldest first."""
    rows = await connection.fetch(
        "select receipt_id from bonus_payments where status = 'held' and expires_at < $1"
        " order by expires_at limit $2",
        until,
        most,
    )
    return [row["receipt_id"] for row in rows]


async def expiring(connection: Connection, now: datetime, most: int) -> list[str]:
    """Customers of the lots that are over, of the oldest of these; held points do not expire."""
    rows = await connection.fetch(
        "select customer_id from bonus_lots where points > held and expires_at <= $1"
        " order by expires_at limit $2",
        now,
        most,
    )
    return sorted({row["customer_id"] for row in rows})
