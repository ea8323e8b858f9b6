"""Bonus accounts on the real PostgreSQL: nobody's points are spent, expire or come back twice."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import asyncpg
import pytest

import services.evaluator
from services.evaluator import account as points_account
from services.evaluator.account import Lot
from services.evaluator.accounts import Accounts
from services.evaluator.bonuses import Cause, accrual_id, span
from services.evaluator.points_expiry import PointsExpiry
from services.evaluator.store import accounts as account_store
from services.evaluator.store import ledger
from shared import database
from shared.codec import decode
from shared.events.outcome import BonusEntry
from shared.events.reference import Store
from shared.events.values import Currency
from shared.migrate import migrate
from shared.topics import BONUSES
from tests.builders import bonuses
from tests.integration import periods
from tests.integration.evaluator import learn
from tests.integration.outgoing import waiting
from tests.integration.periods import DAY, midnight, open_evaluator

MIGRATIONS = Path(services.evaluator.__file__).parent / "migrations"
HOUR = timedelta(hours=1)


@pytest.fixture
async def evaluator(dsn: str) -> AsyncIterator[asyncpg.Pool]:
    """The evaluator's tables; afterwards every account says what the ledger does."""
    async with open_evaluator(dsn) as pool:
        yield pool
        await balances(pool)


async def balances(pool: asyncpg.Pool) -> None:
    """Entries add up to zero, and to what remains of lots less the debt; lots hold what receipts do."""
    assert (
        await pool.fetch("select entry_id from bonus_entries group by 1 having sum(points) <> 0")
        == []
    )
    assert (
        await pool.fetch(
            "select customer_id, debt, entered, remaining from bonus_accounts,"
            " lateral (select coalesce(sum(points), 0) as entered from bonus_entries"
            "  where account = 'customer/' || customer_id) as e,"
            " lateral (select coalesce(sum(points), 0) as remaining from bonus_lots l"
            "  where l.customer_id = bonus_accounts.customer_id) as l"
            " where entered <> remaining - debt"
        )
        == []
    )
    assert (
        await pool.fetch(
            "select lot_id from bonus_lots left join ("
            "  select lot, sum(part) as waiting from bonus_payments,"
            "   unnest(part_lots, part_points) as parts (lot, part) where status = 'held' group by 1"
            " ) as h on lot = lot_id where held <> coalesce(waiting, 0)"
        )
        == []
    )


async def give(
    pool: asyncpg.Pool, customer: str, points: int, *, name: str = "r-1", ends_in: int | None = None
) -> None:
    """Points that became active ten days ago and end in so many days (fewer than none: they are over)."""
    now = await pool.fetchval("select clock_timestamp()")
    ends = None if ends_in is None else ends_in + 10
    lot = Lot(accrual_id(name), "camp", points, *span(now - 10 * DAY, 0, ends))
    async with pool.acquire() as connection, connection.transaction():
        # Given while they lived: an account that is locked now would let them expire at once.
        accounts = await account_store.lock_accounts(connection, [customer], now - 10 * DAY)
        accounts.accrue(customer, lot, Cause(occurred_at=now, redemption_id=name))
        await account_store.save_accounts(connection, accounts)


async def remaining(pool: asyncpg.Pool) -> list[tuple[str, int, int]]:
    rows = await pool.fetch("select lot_id, points, held from bonus_lots order by 1")
    return [tuple(row) for row in rows]


async def spend(pool: asyncpg.Pool, customer: str, receipt: str, points: int) -> int:
    async with pool.acquire() as connection, connection.transaction():
        now = await ledger.now(connection)
        accounts = await account_store.lock_accounts(
            connection, [customer], now, receipt_ids=[receipt]
        )
        paid = accounts.spend(receipt, customer, "store-1", points, now)
        await account_store.save_accounts(connection, accounts)
        return paid


async def test_two_receipts_cannot_spend_the_same_points(evaluator: asyncpg.Pool) -> None:
    await give(evaluator, "c-1", 100)
    paid = await asyncio.gather(*(spend(evaluator, "c-1", f"R{n}", 30) for n in range(12)))
    assert sorted(paid) == [0] * 8 + [10, 30, 30, 30]
    assert await remaining(evaluator) == [("b-r-1", 0, 0)]


async def test_accounts_that_are_met_at_once_are_made_once_and_never_waited_for_crosswise(
    evaluator: asyncpg.Pool,
) -> None:
    async def lock(numbers: range) -> None:
        async with evaluator.acquire() as connection, connection.transaction():
            now = await ledger.now(connection)
            await account_store.lock_accounts(connection, [f"c-{n:03}" for n in numbers], now)

    ways = (range(200), range(199, -1, -1), range(50, 150), range(0, 200, 3))
    await asyncio.gather(*(lock(way) for way in ways * 4))
    assert await evaluator.fetchval("select count(*) from bonus_accounts") == 200


async def test_a_hold_survives_its_transaction_and_the_end_of_its_points(
    evaluator: asyncpg.Pool,
) -> None:
    await give(evaluator, "c-1", 100, ends_in=5)
    now = await evaluator.fetchval("select clock_timestamp()")
    later = now + 6 * DAY

    async def locked(connection: database.Connection, at: datetime) -> Accounts:
        return await account_store.lock_accounts(connection, [], at, receipt_ids=["R1"])

    async with evaluator.acquire() as connection, connection.transaction():
        accounts = await account_store.lock_accounts(connection, ["c-1"], now)
        assert accounts.hold("R1", "c-1", "store-1", 60, now + HOUR) == 60
        await account_store.save_accounts(connection, accounts)
    await balances(evaluator)
    async with evaluator.acquire() as connection, connection.transaction():
        assert await account_store.held_over(connection, now + HOUR, 10) == []
        assert await account_store.held_over(connection, later, 10) == ["R1"]
        accounts = await locked(connection, later)
        await account_store.save_accounts(connection, accounts)  # what is not held expires
    assert await remaining(evaluator) == [("b-r-1", 60, 60)]
    await balances(evaluator)
    async with evaluator.acquire() as connection, connection.transaction():
        accounts = await locked(connection, later)
        assert accounts.spend("R1", "c-1", "store-1", 60, now) == 60
        await account_store.save_accounts(connection, accounts)
    async with evaluator.acquire() as connection, connection.transaction():
        accounts = await locked(connection, later)
        assert accounts.refund("R1", 50, 100, "t-1", later, most=50) == 30
        await account_store.save_accounts(connection, accounts)
    [lot] = await evaluator.fetch("select points, expires_at from bonus_lots where points > 0")
    assert lot["points"] == 30
    assert lot["expires_at"] - later == pytest.approx(5 * DAY, abs=timedelta(minutes=1))


async def test_what_was_earned_is_taken_back_also_when_it_is_used_up(
    evaluator: asyncpg.Pool,
) -> None:
    await give(evaluator, "c-1", 100)
    assert await spend(evaluator, "c-1", "R1", 100) == 100
    async with evaluator.acquire() as connection, connection.transaction():
        now = await ledger.now(connection)
        assert (await account_store.lock_accounts(connection, ["c-1"], now))["c-1"].lots == ()
        accounts = await account_store.lock_accounts(
            connection, ["c-1"], now, redemption_ids=["r-1"]
        )
        assert accounts.take_back("c-1", "r-1", 40, "t-1", Cause(occurred_at=now)) == 40
        assert accounts.balance("c-1") == -40
        await account_store.save_accounts(connection, accounts)
    await give(evaluator, "c-1", 50, name="r-2")
    assert await remaining(evaluator) == [("b-r-1", 0, 0), ("b-r-2", 10, 0)]


async def test_who_only_earns_gets_points_without_what_they_have_being_read(
    evaluator: asyncpg.Pool,
) -> None:
    await give(evaluator, "saves", 100)
    await owe(evaluator, "owes", 30)
    async with evaluator.acquire() as connection, connection.transaction():
        now = await ledger.now(connection)
        customers = ["saves", "owes", "new"]
        accounts = await account_store.lock_accounts(
            connection, customers, now, earning={*customers}
        )
        for customer in customers:
            lot = Lot(accrual_id(f"e-{customer}"), "campaign-1", 50, now)
            accounts.accrue(customer, lot, Cause(occurred_at=now))
        assert accounts.balance("owes") == 20, "a debt is paid at once"
        for customer in ("saves", "new"):
            assert customer not in accounts
            with pytest.raises(KeyError):
                accounts.balance(customer)
        await account_store.save_accounts(connection, accounts)
        funds = await account_store.funds_of(connection, customers, now)
    assert funds == {"saves": (150, 150, 0), "owes": (20, 20, 0), "new": (50, 50, 0)}


async def owe(pool: asyncpg.Pool, customer: str, points: int) -> None:
    """Points that were taken back after they had been spent."""
    await give(pool, customer, points, name=f"o-{customer}")
    assert await spend(pool, customer, f"R-{customer}", points) == points
    async with pool.acquire() as connection, connection.transaction():
        now = await ledger.now(connection)
        accounts = await account_store.lock_accounts(
            connection, [customer], now, redemption_ids=[f"o-{customer}"]
        )
        accounts.take_back(customer, f"o-{customer}", points, "t", Cause(occurred_at=now))
        await account_store.save_accounts(connection, accounts)


async def test_what_customers_have_is_what_their_accounts_say(evaluator: asyncpg.Pool) -> None:
    random = Random(5)  # noqa: S311 - the same every time
    for n in range(40):
        customer = f"c-{n}"
        if n % 3 == 0:
            await owe(evaluator, customer, random.randint(1, 60))
        for m in range(random.randint(0, 4)):
            ends_in = random.choice([None, -1, 3])
            await give(evaluator, customer, 40, name=f"r-{n}-{m}", ends_in=ends_in)
        await hold(evaluator, customer, f"R{n}", random.randint(0, 50))
    customers = [*(f"c-{n}" for n in range(40)), "nobody"]
    async with evaluator.acquire() as connection, connection.transaction():
        now = await ledger.now(connection)
        funds = await account_store.funds_of(connection, customers, now)
        accounts = await account_store.lock_accounts(connection, customers, now)
    assert funds == {c: points_account.funds(accounts[c], now) for c in customers}


async def hold(pool: asyncpg.Pool, customer: str, receipt_id: str, points: int) -> None:
    """A checkout holds points, as many as there are."""
    async with pool.acquire() as connection, connection.transaction():
        now = await ledger.now(connection)
        accounts = await account_store.lock_accounts(connection, [customer], now)
        accounts.hold(receipt_id, customer, "store-1", points, now + HOUR)
        await account_store.save_accounts(connection, accounts)


async def test_points_that_are_over_expire_exactly_once(evaluator: asyncpg.Pool) -> None:
    for n in range(30):
        await give(evaluator, f"c-{n}", 50, name=f"r-{n}", ends_in=-1)
    await give(evaluator, "c-0", 70, name="r-x", ends_in=1)

    async def sweep(expiry: PointsExpiry) -> None:
        while await expiry.expire_some():
            pass

    await asyncio.gather(*(sweep(PointsExpiry(evaluator, page=4)) for _ in range(3)))
    published = [decode(BonusEntry, body or b"") for body in await waiting(evaluator, BONUSES)]
    assert sorted(e.customer_id for e in published) == sorted(f"c-{n}" for n in range(30))
    assert {(e.kind, e.points) for e in published} == {("expiry", -50)}
    campaign = "select sum(points) from bonus_entries where account = 'campaign/camp'"
    assert await evaluator.fetchval(campaign) == -70


async def test_ends_of_periods_give_points_that_become_active_and_expire(
    evaluator: asyncpg.Pool,
) -> None:
    benefit = bonuses(fixed=50, active_after_days=3, expires_after_days=30)
    await periods.publish(evaluator, periods.twice(benefit=benefit), 0, midnight(21))
    await periods.bought(evaluator, "c-1", midnight(5), midnight(4))
    await periods.close_all(evaluator)
    assert await periods.points(evaluator) == {"c-1": 50}
    [lot] = await evaluator.fetch("select * from bonus_lots")
    ended = midnight(0)
    assert (lot["points"], lot["returnable"], lot["campaign_id"]) == (50, 50, "campaign-1")
    assert (lot["active_at"], lot["expires_at"]) == (ended + 3 * DAY, ended + 33 * DAY)
    entry = decode(BonusEntry, (await waiting(evaluator))[0] or b"")
    assert (entry.entry_id, entry.active_at, entry.expires_at) == (
        lot["lot_id"],
        lot["active_at"],
        lot["expires_at"],
    )


async def test_a_store_says_how_much_of_a_receipt_may_be_paid_with_points(
    evaluator: asyncpg.Pool,
) -> None:
    one = Store(
        store_id="store-2", name="Two", region="West", time_zone="UTC", currency=Currency("EUR")
    )
    shares = []
    for share in (one.bonus_share, 2_500):
        await learn(evaluator, one.model_copy(update={"bonus_share": share}))
        query = "select bonus_share from stores where store_id = 'store-2'"
        shares.append(await evaluator.fetchval(query))
    assert shares == [5_000, 2_500]


async def test_what_was_given_before_there_were_accounts_becomes_lots(
    dsn: str, tmp_path: Path
) -> None:
    before = tmp_path / "evaluator" / "migrations"
    before.mkdir(parents=True)
    for path in MIGRATIONS.glob("000[12]*.sql"):
        shutil.copy(path, before)
    async with await database.pool(dsn) as pool:
        async with pool.acquire() as connection:
            await migrate(connection, [before])
            await connection.execute(
                "insert into bonus_entries values ('b-r-1', 'customer/c-1', 50, 'r-1', now()),"
                " ('b-r-1', 'campaign/camp', -50, 'r-1', now())"
            )
            await migrate(connection, [MIGRATIONS])
        assert await spend(pool, "c-1", "R1", 70) == 50
        await balances(pool)
