"""The evaluator forgets a customer: no table has the id, and what is counted stays as it was."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
from msgspec.structs import replace

from services.evaluator import answer, recording
from services.evaluator.desk import Desk
from services.evaluator.erasing import Erasing
from services.evaluator.expiry import Expiry
from services.evaluator.facts import Gatherer, incoming
from services.evaluator.purchases import paid_receipt
from services.evaluator.recording import SOMEBODY, decode_facts
from services.evaluator.replay import RulesetHistory, compare
from services.evaluator.rulesets import Rulesets
from services.evaluator.store import purchases as purchase_store
from services.evaluator.store import recordings
from shared import clock
from shared.codec import decode, encode
from shared.events.outcome import BonusEntry
from shared.events.promotion import LimitRule
from shared.events.reference import NOBODY
from shared.topics import BONUSES, CARTS
from tests.builders import (
    CODE_KEY,
)
from tests.integration import periods
from tests.integration.evaluator import NOW, Stream, bought, returns
from tests.integration.forgetting import (
    MINUTE,
    OTHER,
    OWED,
    WHO,
    all_read,
    ask,
    cart,
    counts,
    erase,
    erasure,
    left,
    live,
    opened,
    proven,
    sold,
)
from tests.integration.outgoing import waiting
from tests.integration.periods import DAY, midnight


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[asyncpg.Pool]:
    async with opened(dsn) as one:
        yield one


async def test_no_table_has_the_id_and_all_counts_are_as_they_were(
    pool: asyncpg.Pool, dsn: str
) -> None:
    await live(pool)
    before = await proven(dsn)
    had = await left(pool)
    [report] = await erase(pool)
    assert await left(pool) == {}
    assert await left(pool, "cookie-7") == {}
    after = await proven(dsn)
    assert counts(after) == counts(before)
    assert (after.sums, after.decided) == (before.sums, before.decided)
    assert after.redemptions == before.redemptions
    told = {one.table: one.deleted + one.anonymised for one in report.tables}
    assert {name for name, count in told.items() if count} == had.keys()
    assert report.erasure_id == "x-1"
    assert WHO not in report.model_dump_json()


async def test_what_is_of_others_stays_as_it_was(pool: asyncpg.Pool) -> None:
    await live(pool)
    had, guesses = await left(pool, OTHER), await pool.fetchval("select count(*) from guesses")
    await erase(pool)
    assert await left(pool, OTHER) == had
    [limit] = await pool.fetch(
        "select held from limits where limit_id = 'campaign-1/ten/~customer=C2'"
    )
    assert limit["held"] == 1
    kept = await pool.fetchval("select count(*) from purchases")
    assert kept == 4
    assert await pool.fetchval("select count(*) from guesses") == guesses - 1
    assert await pool.fetchval("select count(*) from codes where holder = $1", NOBODY) == 1


async def test_what_others_decided_is_made_again_to_the_byte_and_the_customer_s_is_gone(
    pool: asyncpg.Pool,
) -> None:
    await live(pool)
    await erase(pool)
    async with pool.acquire() as connection, connection.transaction():
        rulesets = RulesetHistory(connection)
        read = recordings.recordings(connection, NOW - DAY, NOW + DAY)
        found = {}
        async for recorded in read:
            facts = decode_facts(recorded.facts)
            rules = await rulesets.at(facts.ruleset_version)
            found[answer.decode(recorded.decision).receipt_id] = compare(recorded, rules, facts)
    assert found == {"cart-6": None, "cart-7": None}


async def test_points_go_back_to_their_campaigns(pool: asyncpg.Pool, dsn: str) -> None:
    await live(pool)
    before = (await proven(dsn)).bonuses
    assert before is not None
    assert before.points > 0
    await erase(pool)
    after = (await proven(dsn)).bonuses
    assert after is not None
    # What was owed is paid first; what an open receipt holds is waited for. OTHER has none.
    assert await pool.fetchval("select sum(held) from bonus_lots") == 20
    assert (after.points, after.lots, after.debt) == (20, 20, 0)
    said = [decode(BonusEntry, body or b"") for body in await waiting(pool, BONUSES)]
    gone = [one for one in said if one.customer_id == NOBODY]
    assert {one.kind for one in gone} == {"expiry"}
    assert sum(one.points for one in said) == after.points + OWED, "nobody was told of what is owed"
    await pool.execute(
        "update bonus_payments set expires_at = now() - interval '1 day' where status = 'held'"
    )
    assert await Expiry(pool).free_points() == 1
    await erase(pool, erasure("somebody-else", "x-2"))
    last = (await proven(dsn)).bonuses
    assert last is not None
    assert (last.points, last.lots, last.debt) == (0, 0, 0)


async def test_a_return_after_it_gives_the_money_back_and_no_points_to_anybody(
    pool: asyncpg.Pool, dsn: str
) -> None:
    await live(pool)
    await erase(pool)
    back = [returns(n, receipt_id=f"cart-{n}", lines=()) for n in (5, 8)]
    assert await Stream(*back).into(pool) == []
    await proven(dsn)
    assert await left(pool) == {}


async def test_who_comes_back_begins_anew(pool: asyncpg.Pool, dsn: str) -> None:
    await live(pool)
    await pool.execute("delete from blocks")
    await pool.execute("update ruleset set blocks_version = blocks_version + 1")
    await erase(pool)
    later = [sold(n, receipt_id=f"later-{n}") for n in range(8)]
    assert await Stream(*later).into(pool) == []
    found = await pool.fetch(
        "select status from redemptions where receipt_id like 'later-%' and instrument_id = 'ten'"
        " order by receipt_id"
    )
    # Six a day.
    assert [row["status"] for row in found] == ["committed"] * 6 + ["unauthorised"] * 2
    await proven(dsn)


async def test_what_was_held_can_still_be_paid_and_earns_nobody_anything(
    pool: asyncpg.Pool, dsn: str
) -> None:
    await live(pool)
    await erase(pool)
    assert await Stream(sold(2, customer_id=None)).into(pool) == []
    rows = await pool.fetch(
        "select instrument_id, status, bonuses from redemptions where receipt_id = 'cart-2' order by 1"
    )
    assert [tuple(row) for row in rows] == [
        ("points", "released", 0),
        ("sliding", "committed", 0),
        ("ten", "committed", 0),
    ]
    await proven(dsn)


async def test_the_same_erasure_again_does_and_says_nothing_more(pool: asyncpg.Pool) -> None:
    await live(pool)
    assert len(await erase(pool, erasure(), erasure())) == 1
    await Stream(sold(20)).into(pool)
    had = await left(pool)
    assert len(await erase(pool, erasure())) == 1
    assert await left(pool) == had
    again = (await erase(pool, erasure(erasure_id="x-2")))[-1]
    assert await left(pool) == {}
    assert {t.table: t.anonymised for t in again.tables}["checkout_events"] == 1


async def test_what_was_on_its_way_is_waited_for(pool: asyncpg.Pool) -> None:
    await ask(pool, erasure())
    assert not await Erasing(pool).erase_one(), "carts and sales have not been read"
    assert (await left(pool))["erasures"] == 1
    await all_read(pool)
    long_ago = clock.now() - DAY
    await pool.execute("update offsets set read_until = $1 where topic = $2", long_ago, CARTS.name)
    await pool.execute("update erasures set asked_at = $1", long_ago + MINUTE)
    assert not await Erasing(pool).erase_one(), "a cart may be on its way"
    await pool.execute("update offsets set read_until = $1", long_ago + 2 * MINUTE)
    assert await Erasing(pool).erase_one()
    assert await left(pool) == {}


async def test_what_an_earlier_version_kept_is_found_by_what_it_says(
    pool: asyncpg.Pool,
) -> None:
    """It did not say whose an event is, and kept whose the codes were that others presented."""
    await live(pool)
    async with pool.acquire() as connection, connection.transaction():
        [row] = await connection.fetch(
            "select event_key, facts from checkout_events where customer_id = $1 and facts is not null",
            OTHER,
        )
        facts = decode_facts(row["facts"])
        assert [one.holder for one in facts.codes] == [SOMEBODY, OTHER]
        codes = (replace(facts.codes[0], holder=WHO), facts.codes[1])
        older = recording.encode_facts(replace(facts, codes=codes))
        await connection.execute(
            "update checkout_events set facts = $2 where event_key = $1", row["event_key"], older
        )
        await connection.execute(
            "update checkout_events set customer_id = null, told_customer_id = null"
        )
    await erase(pool)
    assert await left(pool) == {}
    kept = await pool.fetchval(
        "select facts from checkout_events where event_key = $1", row["event_key"]
    )
    assert decode_facts(kept) == facts


async def buys(pool: asyncpg.Pool, *numbers: int) -> None:
    """Purchases within the period of ``twice``."""
    paid = [paid_receipt(bought(n, midnight(5 + n), customer_id=WHO)) for n in numbers]
    async with pool.acquire() as connection:
        await purchase_store.save(connection, paid)


async def test_a_reward_of_a_period_is_earned_anew_by_who_comes_back(dsn: str) -> None:
    """It is named after the customer: the ledger would take the second for the first."""
    async with periods.open_evaluator(dsn) as pool:
        once = LimitRule(redemptions=1, per=("customer",))
        await periods.publish(pool, periods.twice(limits=(once,)), 0, midnight(20))
        await buys(pool, 1, 2)
        await periods.close_all(pool)
        assert await periods.points(pool) == {WHO: 50}
        asked = cart(9, pay_bonuses=20)
        assert await Stream(asked).into(pool) == []
        await erase(pool)
        assert await left(pool) == {}
        lots = await pool.fetch("select lot_id, held from bonus_lots")
        parts = await pool.fetchval("select part_lots from bonus_payments")
        assert [(row["lot_id"], row["held"]) for row in lots] == [(parts[0], 20)]
        await buys(pool, 3, 4)
        await pool.execute("insert into late_purchases values ('late', $1, $2)", WHO, midnight(5))
        await periods.close_all(pool)
        rows = await pool.fetch(
            "select account, sum(points)::int from bonus_entries group by 1 order by 1"
        )
        await proven(dsn)
    assert [tuple(row) for row in rows] == [
        ("campaign/campaign-1", -70),
        (f"customer/{WHO}", 50),
        (f"customer/{NOBODY}", 20),
    ]


async def test_till_and_erasure_at_the_same_time_lose_no_count(
    pool: asyncpg.Pool, dsn: str
) -> None:
    """Whoever comes second finds the limits as the first has left them."""
    await live(pool)
    await pool.execute("delete from blocks")
    await pool.execute("update ruleset set blocks_version = blocks_version + 1")
    await ask(pool, erasure())
    await all_read(pool)

    async def till(number: int) -> None:
        for n in range(10):
            receipt_id = f"busy-{number}-{n}"
            await Stream(cart(100, receipt_id=receipt_id), sold(100, receipt_id=receipt_id)).into(
                pool
            )

    async def eraser() -> None:
        await asyncio.sleep(0.05)
        while not await Erasing(pool).erase_one():
            await asyncio.sleep(0.01)

    await asyncio.gather(*(till(n) for n in range(3)), eraser())
    await proven(dsn)


async def test_a_cart_that_is_being_decided_is_waited_for(pool: asyncpg.Pool, dsn: str) -> None:
    """Else it would hold slots of a limit that has another name by then."""
    await live(pool)
    await pool.execute("delete from blocks")
    await pool.execute("update ruleset set blocks_version = blocks_version + 1")
    await ask(pool, erasure())
    await all_read(pool)
    event = cart(50)
    came = incoming(event, "event-50", encode(event))
    async with pool.acquire() as deciding, pool.acquire() as watching:
        async with deciding.transaction():
            await Desk(Gatherer(Rulesets(), CODE_KEY, MINUTE)).apply(deciding, [came])
            erasing = asyncio.create_task(Erasing(pool).erase_one())
            while not await watching.fetchval("select count(*) from pg_locks where not granted"):
                await asyncio.sleep(0.01)
        assert await erasing
    assert await left(pool) == {}
    held = await pool.fetch(
        "select cardinality(limit_ids) from redemptions"
        " where receipt_id = 'cart-50' and status = 'held' order by 1"
    )
    assert [row[0] for row in held] == [0, 1, 3]
    await proven(dsn)


async def test_who_decides_learns_that_a_block_is_gone(pool: asyncpg.Pool) -> None:
    await live(pool)
    rulesets = Rulesets()
    for blocked in ({WHO, OTHER}, {OTHER}):
        async with pool.acquire() as connection, connection.transaction():
            ruleset, _ = await rulesets.current(connection, lock=True)
        assert {subject.name for subject in ruleset.blocks.spans} == blocked
        await erase(pool)


async def test_nobody_may_come_as_those_who_were_erased(pool: asyncpg.Pool) -> None:
    dead = await Stream(cart(1, NOBODY), sold(2, customer_id=NOBODY)).into(pool)
    assert [one.reason for one in dead] == ["nobodys_customer_id"] * 2
