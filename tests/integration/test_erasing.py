"""The evaluator forgets a customer: no table has the id, and what is counted stays as it was."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from hashlib import blake2b
from typing import Any

import asyncpg
import pytest
from msgspec.structs import replace

from deploy.verification import snapshot
from deploy.verification.snapshot import Ledger
from services.evaluator import answer, checkout, recording, reference
from services.evaluator.certificate import differences
from services.evaluator.desk import Desk
from services.evaluator.erasing import Erasing
from services.evaluator.expiry import Expiry
from services.evaluator.facts import Gatherer, incoming
from services.evaluator.guessing import Subject
from services.evaluator.purchases import paid_receipt
from services.evaluator.recording import SOMEBODY, decode_facts
from services.evaluator.replay import RulesetHistory, compare
from services.evaluator.requests import Request, Requests
from services.evaluator.rulesets import Rulesets
from services.evaluator.store import guessing as guessing_store
from services.evaluator.store import purchases as purchase_store
from services.evaluator.store import recordings
from shared import clock
from shared.codec import decode, encode
from shared.events.checkout import Cart, Sale
from shared.events.customers import Block, Erased, Erasure
from shared.events.outcome import BonusEntry
from shared.events.promotion import LimitRule, Rolling
from shared.events.reference import NOBODY, Customer, SegmentChange
from shared.topics import BLOCKS, BONUSES, CARTS, ERASED, ERASURES
from tests.builders import (
    CODE_KEY,
    bonuses,
    chunk,
    code,
    emission,
    given,
    instrument,
    line,
    percent_off,
    sold_line,
)
from tests.integration import evaluator as world
from tests.integration import periods, traces
from tests.integration.evaluator import NOW, Stream, asks, bought, learn, returns, run
from tests.integration.outgoing import waiting
from tests.integration.periods import DAY, midnight

WHO, OTHER = "C-to-forget.17", "C2"
OWED = 7
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[asyncpg.Pool]:
    """A store with 10% off at most so often per customer, points, and a code of one's own."""
    async with world.evaluator(dsn) as opened:
        await opened.execute("update stores set bonus_share = 10000")
        rules = (
            LimitRule(redemptions=9, per=("customer",)),
            LimitRule(redemptions=6, per=("customer", "day")),
            LimitRule(money=100_000, per=("customer",)),
        )
        await learn(
            opened,
            Customer(customer_id=WHO, groups=("gold",), birthday="12-05"),
            SegmentChange(customer_id=WHO, segment_id="s-1", member=True, changed_at=NOW),
            chunk("e-1", "THEIRS", "OTHERS", holders=(WHO, OTHER)),
        )
        ten = instrument("ten", limits=rules, benefit=percent_off(1_000))
        sliding = instrument(
            "sliding",
            limits=rules[:1],
            benefit=percent_off(100),
            processing_period=Rolling(kind="rolling", days=30),
        )
        points = instrument("points", benefit=bonuses(fixed=50))
        own = instrument("own", [code("e-1", own=True)], benefit=bonuses(fixed=5))
        personal = emission("e-1", kind="personal", single_use=True, posted_codes=2)
        await run(opened, [ten, sliding, points, own], emissions=(personal,))
        yield opened


def sold(number: int, **values: Any) -> Sale:
    """What the cart of that number comes to: 10.90 off 100.00."""
    goods = sold_line(amount=10_000, discount=1_090)
    benefits = [
        given("campaign-1", one, discount=n) for one, n in (("ten", 1_000), ("sliding", 90))
    ]
    found = bought(number, NOW, receipt_id=f"cart-{number}", customer_id=WHO)
    return found.model_copy(update={"lines": (goods,), "given": tuple(benefits), **values})


def cart(number: int, customer_id: str | None = WHO, **values: Any) -> Cart:
    lines = (line(amount=10_000),)
    return asks(number, customer_id=customer_id, **values).model_copy(update={"lines": lines})


async def live(pool: asyncpg.Pool) -> None:
    """All that leaves traces: carts, holds, sales, points, returns, somebody else's code, failed codes, a block."""
    assert (
        await Stream(
            cart(1, codes=("theirs",), device_id="cookie-7", user_agent="Firefox"),
            sold(1),
            cart(2, pay_bonuses=20),
            cart(3),
            cart(3, revision=1, intent="cancel"),
            cart(4, intent="quote"),
            sold(5),
            cart(6, OTHER, codes=("theirs", "others")),
            cart(7, None),
            sold(7, given=(), lines=(sold_line(amount=10_000),)),
        ).into(pool)
        == []
    )
    paid = {"payments": ({"method": "bonuses", "amount": 30},)}
    spends = Sale.model_validate(sold(8).model_dump() | paid)
    back = returns(1, receipt_id="cart-1", lines=())
    # Who comes to a receipt that is paid is told of it as it was.
    assert await Stream(spends, cart(5, OTHER, revision=1), back).into(pool) == []
    desk = Requests(Desk(Gatherer(Rulesets(), CODE_KEY, timedelta(minutes=15))))
    body = encode(cart(9))
    came = incoming(cart(9), "key/9", body, waiting=True)
    async with pool.acquire() as connection, connection.transaction():
        await desk.apply(connection, [Request(came, b"key-9", blake2b(body).digest())])
        who = {
            Subject("till", "customer", WHO): [b"1" * 16],
            Subject("web", "store", "s"): [b"2" * 16],
        }
        await guessing_store.add(connection, who, NOW)
    blocks = [
        world.record(BLOCKS.name, one, n)
        for n, one in enumerate(
            Block(subject_kind="customer", subject=who, blocked=True, changed_at=NOW + 300 * DAY)
            for who in (WHO, OTHER)
        )
    ]
    async with pool.acquire() as connection, connection.transaction():
        assert await reference.apply(connection, blocks) == []
    await pool.execute("insert into closings values ('c', 'i', $1, $1, $2, false)", NOW, WHO)
    await pool.execute("insert into late_purchases values ('late', $1, $2)", WHO, NOW)
    # What was taken back and was not there.
    owed = [("t-x", f"customer/{WHO}", -OWED), ("t-x", "campaign/campaign-1", OWED)]
    await pool.executemany("insert into bonus_entries values ($1, $2, $3, null, now())", owed)
    await pool.execute("update bonus_accounts set debt = $2 where customer_id = $1", WHO, OWED)


async def ask(pool: asyncpg.Pool, *erasures: Erasure) -> None:
    records = [world.record(ERASURES.name, one, n) for n, one in enumerate(erasures)]
    async with pool.acquire() as connection, connection.transaction():
        assert await reference.apply(connection, records) == []


def erasure(customer_id: str = WHO, erasure_id: str = "x-1") -> Erasure:
    return Erasure(erasure_id=erasure_id, customer_id=customer_id, requested_at=NOW)


async def erase(pool: asyncpg.Pool, *erasures: Erasure) -> list[Erased]:
    """The reports of these erasures, once everything that came before has been read."""
    await ask(pool, *(erasures or (erasure(),)))
    await all_read(pool)
    while await Erasing(pool).erase_one():
        pass
    return [decode(Erased, body or b"") for body in await waiting(pool, ERASED)]


async def all_read(pool: asyncpg.Pool) -> None:
    await periods.sales_read(pool, clock.now() + DAY)
    await pool.execute(
        "insert into offsets (consumer, topic, partition, next, cluster_id, read_until)"
        " select $1, $2, n, 0, 'test', now() + interval '1 day' from generate_series(0, $3 - 1) as n"
        " on conflict do nothing",
        checkout.CONSUMER,
        CARTS.name,
        CARTS.partitions,
    )


async def left(pool: asyncpg.Pool, customer_id: str = WHO) -> Mapping[str, int]:
    """Where the id still is, beside the outbox: what is in that was said before, and leaves at once."""
    async with pool.acquire() as connection:
        found = await traces.in_database(connection, customer_id)
    return {table: count for table, count in found.items() if table != "outbox"}


async def proven(dsn: str) -> Ledger:
    """The ledger as ``tillstream verify`` reads it; it agrees with itself."""
    found = await snapshot.ledger(dsn, None, lambda *_: None)
    assert [s.limit_id for s in found.standings if differences(s)] == []
    assert found.contradictions == {}
    assert found.bonuses is not None
    assert (found.bonuses.entered, found.bonuses.different, found.bonuses.unbalanced) == (0, 0, {})
    assert [key for key, one in found.decided.items() if one.unexplained] == []
    return found


def counts(found: Ledger) -> list[str]:
    """Every limit's counters and windows, whatever it is called."""
    return sorted(str(replace(one, limit_id="")) for one in found.standings)


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
