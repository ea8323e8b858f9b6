"""Somebody who is to be forgotten: all traces that a customer can leave in the evaluator, and what is left of them."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from hashlib import blake2b
from typing import Any

import asyncpg
from msgspec.structs import replace

from deploy.verification import snapshot
from deploy.verification.snapshot import Ledger
from services.evaluator import checkout, reference
from services.evaluator.certificate import differences
from services.evaluator.desk import Desk
from services.evaluator.erasing import Erasing
from services.evaluator.facts import Gatherer, incoming
from services.evaluator.guessing import Subject
from services.evaluator.requests import Request, Requests
from services.evaluator.rulesets import Rulesets
from services.evaluator.store import guessing as guessing_store
from shared import clock
from shared.codec import decode, encode
from shared.events.checkout import Cart, Sale
from shared.events.customers import Block, Erased, Erasure
from shared.events.promotion import LimitRule, Rolling
from shared.events.reference import Customer, SegmentChange
from shared.topics import BLOCKS, CARTS, ERASED, ERASURES
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
from tests.integration.periods import DAY

WHO, OTHER = "C-to-forget.17", "C2"
OWED = 7
MINUTE = timedelta(minutes=1)


@asynccontextmanager
async def opened(dsn: str) -> AsyncIterator[asyncpg.Pool]:
    """A store with 10% off at most so often per customer, points, and a code of one's own."""
    async with world.evaluator(dsn) as pool:
        await pool.execute("update stores set bonus_share = 10000")
        rules = (
            LimitRule(redemptions=9, per=("customer",)),
            LimitRule(redemptions=6, per=("customer", "day")),
            LimitRule(money=100_000, per=("customer",)),
        )
        await learn(
            pool,
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
        await run(pool, [ten, sliding, points, own], emissions=(personal,))
        yield pool


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
