"""What a customer bought before, on the real PostgreSQL: late sales, returns, any batches, who they are."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiokafka.structs import ConsumerRecord

import services.evaluator
from services.evaluator import reference
from services.evaluator.checkout import Checkout
from services.evaluator.facts import Gatherer
from services.evaluator.http import Quotes
from services.evaluator.retention import Retention
from services.evaluator.rulesets import Rulesets
from services.evaluator.store import purchases as purchase_store
from shared import clock, codes, database
from shared.codec import decode, encode
from shared.dead_letters import DeadLetter
from shared.events.checkout import Cart, Return, ReturnedLine, Sale
from shared.events.conditions import (
    Birthday,
    Condition,
    CustomerSegment,
    DaysSincePurchase,
    FirstPurchase,
    PurchaseCount,
    PurchaseSum,
)
from shared.events.outcome import Decision
from shared.events.promotion import Instrument, Rolling
from shared.events.reference import CodeChunk, Customer, SegmentChange, Store
from shared.events.values import Currency, Event
from shared.migrate import migrate
from shared.topics import CAMPAIGNS, CARTS, CODES, CUSTOMERS, DECISIONS, SALES, SEGMENTS, STORES
from tests.builders import (
    CODE_KEY,
    campaign,
    cart,
    code,
    compare,
    emission,
    in_group,
    instrument,
    line,
    sale,
    sold_line,
)

_EVENT = count()
NOW = clock.now().replace(microsecond=0)
TOPICS = {
    Cart: CARTS,
    Sale: SALES,
    Return: SALES,
    Store: STORES,
    Customer: CUSTOMERS,
    SegmentChange: SEGMENTS,
    CodeChunk: CODES,
}


@pytest.fixture
async def ledger(dsn: str) -> AsyncIterator[asyncpg.Pool]:
    """The evaluator's tables, with one store."""
    async with await database.pool(dsn) as pool:
        async with pool.acquire() as connection:
            await migrate(connection, [Path(services.evaluator.__file__).parent / "migrations"])
        await learn(
            pool,
            Store(
                store_id="store-1",
                name="One",
                region="West",
                time_zone="UTC",
                currency=Currency("EUR"),
            ),
        )
        yield pool


def record(topic: str, event: Event, number: int, event_id: str = "") -> ConsumerRecord:
    """An event as the broker has it."""
    headers = (("ce_id", (event_id or f"event-{next(_EVENT)}").encode()),)
    return ConsumerRecord(topic, 0, number, number, 0, b"k", encode(event), None, 0, 0, headers)


async def learn(pool: asyncpg.Pool, *events: Event) -> Sequence[DeadLetter]:
    """The evaluator reads reference data."""
    records = [record(TOPICS[type(event)].name, event, n) for n, event in enumerate(events)]
    async with pool.acquire() as connection, connection.transaction():
        return await reference.apply(connection, records)


async def promise(pool: asyncpg.Pool, *conditions: Condition, **values: Any) -> None:
    """10% off for who meets the conditions."""
    await run(pool, [instrument(conditions=conditions)], **values)


async def run(pool: asyncpg.Pool, instruments: Sequence[Instrument], **values: Any) -> None:
    """A campaign of the last and next two months."""
    month = timedelta(days=60)
    running = campaign(
        instruments=instruments,
        **{"starts_at": NOW - month, "ends_at": NOW + month, "time_zone": "UTC", **values},
    )
    async with pool.acquire() as connection, connection.transaction():
        assert await reference.apply(connection, [record(CAMPAIGNS.name, running, 1)]) == []


class Stream:
    """Tills' events in the order in which the broker gets them."""

    def __init__(self, *events: Cart | Sale | Return) -> None:
        self.records = [
            record(TOPICS[type(event)].name, event, n) for n, event in enumerate(events)
        ]

    async def into(self, pool: asyncpg.Pool, size: int | None = None) -> list[DeadLetter]:
        """Apply it in batches of this size, by an evaluator that was started for it."""
        evaluator = Checkout(Gatherer(Rulesets(), CODE_KEY, timedelta(minutes=15)))
        size = size or len(self.records)
        dead: list[DeadLetter] = []
        for start in range(0, len(self.records), size):
            async with pool.acquire() as connection, connection.transaction():
                batch = self.records[start : start + size]
                dead += await evaluator.apply(connection, batch)
        return dead


def days_ago(days: int) -> datetime:
    return NOW - timedelta(days=days)


def bought(number: int, at: datetime, *, amount: int = 1_000, **values: Any) -> Sale:
    """A receipt of C1, one line of two pieces."""
    sold = sold_line(quantity=2_000, amount=amount)
    defaults = {"receipt_id": f"bought-{number}", "customer_id": "C1"}
    return sale([sold], occurred_at=at, **{**defaults, **values})


def asks(number: int = 1, **values: Any) -> Cart:
    """A cart of C1, now, of 10.00."""
    defaults = {"receipt_id": f"cart-{number}", "customer_id": "C1", "occurred_at": NOW}
    return cart([line()], **{**defaults, **values})


def returns(number: int, quantity: int = 2_000, **values: Any) -> Return:
    """A line of a receipt comes back, in another store's terms: at another terminal."""
    fields: dict[str, Any] = {
        "intent": "return",
        "receipt_id": f"bought-{number}",
        "store_id": "store-1",
        "terminal_id": "desk",
        "occurred_at": NOW,
        "lines": (ReturnedLine(line=1, quantity=quantity),),
    }
    return Return.model_validate({**fields, **values})


async def discounts(pool: asyncpg.Pool) -> dict[str, int]:
    """What each cart was given, by receipt; its last decision counts."""
    rows = await pool.fetch("select value from outbox where topic = $1 order by id", DECISIONS.name)
    decisions = [decode(Decision, row["value"], ignore_unknown=True) for row in rows]
    return {decision.receipt_id: decision.discount for decision in decisions}


TWICE = PurchaseCount(compare=compare(2))


async def test_purchases_of_a_sliding_window_count_and_earlier_ones_do_not(
    ledger: asyncpg.Pool,
) -> None:
    await run(
        ledger,
        [instrument(conditions=[TWICE], processing_period=Rolling(days=14))],
    )
    await Stream(
        bought(1, days_ago(15)),
        bought(2, days_ago(13)),
        asks(1),
        bought(3, days_ago(1)),
        asks(2),
        asks(3, occurred_at=NOW + timedelta(minutes=1), customer_id="C2"),
    ).into(ledger, 1)
    assert await discounts(ledger) == {"cart-1": 0, "cart-2": 100, "cart-3": 0}


async def test_a_late_sale_is_put_in_its_place(ledger: asyncpg.Pool) -> None:
    """A till that was offline: its sale counts from when it was, for carts of after that."""
    await run(
        ledger,
        [
            instrument("soon", [DaysSincePurchase(compare=compare(2, "<="))]),
            instrument("often", [TWICE]),
        ],
    )
    await Stream(
        bought(1, days_ago(5)),
        asks(1),
        bought(2, days_ago(2)),
        asks(2),
        asks(3, occurred_at=days_ago(3)),  # as late as it: it was before the second
    ).into(ledger, 1)
    assert await discounts(ledger) == {
        "cart-1": 0,  # five days after the first
        "cart-2": 190,  # two days after the second
        "cart-3": 100,  # two days after the first, which was the only one by then
    }


async def test_however_a_stream_is_cut_into_batches_the_same_is_decided(
    ledger: asyncpg.Pool,
) -> None:
    await run(
        ledger,
        [
            instrument("often", [TWICE]),
            instrument("first", [FirstPurchase()]),
            instrument("big", [PurchaseSum(compare=compare(2_500))]),
        ],
    )
    stream = Stream(
        asks(1),
        bought(1, days_ago(5)),
        asks(2),
        bought(2, days_ago(2)),
        asks(3),
        returns(2, 1_000),
        asks(4),
        bought(3, days_ago(1)),
        asks(5),
        returns(2, 1_000),
        returns(3, 2_000),
        returns(3, 1_000),  # more than was bought
        asks(6),
        bought(4, days_ago(3), customer_id="C2"),
        asks(7, customer_id="C2"),
    )
    tables = "receipts, redemptions, limits, checkout_events, purchases, outbox"
    expected = None
    for size in (1, 2, 3, 5, len(stream.records)):
        await ledger.execute(f"truncate {tables} cascade")
        dead = await stream.into(ledger, size)
        assert [letter.reason for letter in dead] == ["returned_too_much"]
        found = await discounts(ledger)
        expected = expected or found
        assert found == expected, f"batches of {size}"
    assert expected == {
        "cart-1": 100,  # the first
        "cart-2": 0,
        "cart-3": 100,  # the third
        "cart-4": 100,  # half of one came back: they are two still
        "cart-5": 190,  # and 25.00 in all
        "cart-6": 0,  # all but the first came back
        "cart-7": 0,
    }


async def test_a_return_takes_back_progress_and_says_what_is_refunded(
    ledger: asyncpg.Pool,
) -> None:
    await promise(ledger, PurchaseSum(compare=compare(1_500)))
    sold = bought(1, days_ago(1), amount=2_001)
    await Stream(sold, asks(1), returns(1, 1_000), asks(2)).into(ledger, 2)
    assert await discounts(ledger) == {"cart-1": 100, "cart-2": 0}
    assert await _returned(ledger) == [("bought-1", 1, 1_000, 1_001)]
    await Stream(returns(1, lines=())).into(ledger)  # all that is left
    assert await _returned(ledger) == [("bought-1", 1, 2_000, 2_001)]


async def test_a_return_that_comes_twice_takes_back_once(ledger: asyncpg.Pool) -> None:
    await Stream(bought(1, days_ago(1))).into(ledger)
    one = record(SALES.name, returns(1, 1_000), 7, "the-return")
    stream = Stream()
    stream.records = [one, one]
    assert await stream.into(ledger, 1) == []
    assert await _returned(ledger) == [("bought-1", 1, 1_000, 500)]
    stream.records = [record(SALES.name, returns(1, 2_000), 8, "the-return")]
    [letter] = await stream.into(ledger)
    assert letter.reason == "conflicting_event"


async def _returned(pool: asyncpg.Pool) -> list[tuple[str, int, int, int]]:
    rows = await pool.fetch(
        "select receipt_id, line, quantity, refund from returned_lines order by 1, 2"
    )
    return [tuple(row.values()) for row in rows]


@pytest.mark.parametrize("size", [1, 2])
async def test_a_return_that_overtook_its_sale_is_a_dead_letter_and_counts_when_sent_again(
    ledger: asyncpg.Pool, size: int
) -> None:
    """It may have been sold on another partition; ``tillstream dead-letters retry``."""
    early = returns(1)
    [letter] = await Stream(early, bought(1, days_ago(1))).into(ledger, size)
    assert (letter.reason, letter.detail.split(":")[0]) == ("unknown_receipt", "receipt_id")
    again = Stream()
    again.records = [letter.record]
    assert await again.into(ledger) == []
    assert await _returned(ledger) == [("bought-1", 1, 2_000, 1_000)]


async def test_a_return_of_a_cart_that_was_never_paid_is_refused(ledger: asyncpg.Pool) -> None:
    [letter] = await Stream(asks(1), returns(1, receipt_id="cart-1")).into(ledger)
    assert letter.reason == "unknown_receipt"


async def test_a_card_shown_after_payment_makes_it_that_customers_purchase(
    ledger: asyncpg.Pool,
) -> None:
    await promise(ledger, PurchaseCount(compare=compare(1)))
    nobody = asks(1, customer_id=None, occurred_at=days_ago(1))
    paid = sale([sold_line()], receipt_id="cart-1", customer_id="C1", occurred_at=days_ago(1))
    await Stream(nobody, paid, asks(2)).into(ledger, 1)
    assert await discounts(ledger) == {"cart-1": 0, "cart-2": 100}


async def test_groups_segments_and_birthdays_are_those_last_read(ledger: asyncpg.Pool) -> None:
    await run(
        ledger,
        [
            instrument("vip", [in_group("vip")], priority=3),
            instrument("rare", [CustomerSegment(segments=("rare",))], priority=2),
            instrument("birthday", [Birthday()], priority=1),
        ],
    )
    today = f"{NOW:%m-%d}"
    entered = _segment("C3", member=True, minutes=1)
    await learn(
        ledger,
        Customer(customer_id="C1", groups=("vip",)),
        Customer(customer_id="C2", birthday=today),
        entered,
        _segment("C4", member=True, minutes=1),
        _segment("C4", member=False, minutes=2),
        Customer(customer_id="C5", groups=("vip",), birthday=today),
        Customer(customer_id="C5"),
    )
    await learn(ledger, _segment("C4", member=True, minutes=1))  # sent again, and older
    customers = ["C1", "C2", "C3", "C4", "C5"]
    await Stream(*(asks(n, customer_id=c) for n, c in enumerate(customers))).into(ledger)
    assert list((await discounts(ledger)).values()) == [100, 100, 100, 0, 0]


def _segment(customer_id: str, *, member: bool, minutes: int) -> SegmentChange:
    at = NOW + timedelta(minutes=minutes)
    return SegmentChange(customer_id=customer_id, segment_id="rare", member=member, changed_at=at)


async def test_a_bound_code_is_refused_to_another_customer(ledger: asyncpg.Pool) -> None:
    words = ["ANNA-1", "FREE-2"]
    chunk = CodeChunk(
        emission_id="LETTERS",
        kind="personal",
        chunk=1,
        posted_at=NOW,
        digests=codes.pack(codes.digest(word, CODE_KEY) for word in words),
        holders=("C1", None),
    )
    assert await learn(ledger, chunk) == []
    described = emission("LETTERS", kind="personal", single_use=True, posted_codes=2)
    await promise(ledger, code("LETTERS", own=True), emissions=(described,))
    await Stream(
        asks(1, codes=[words[0]], customer_id="C2"),
        asks(2, codes=[words[1]]),
        asks(3, codes=[words[0]]),
    ).into(ledger)
    assert await discounts(ledger) == {"cart-1": 0, "cart-2": 0, "cart-3": 100}


async def test_a_chunk_whose_holders_are_not_one_each_is_a_dead_letter(
    ledger: asyncpg.Pool,
) -> None:
    digests = codes.pack(codes.digest(word, CODE_KEY) for word in ("ONE", "TWO"))
    bad = CodeChunk(
        emission_id="e", kind="personal", chunk=1, posted_at=NOW, digests=digests, holders=("C1",)
    )
    [letter] = await learn(ledger, bad)
    assert (letter.reason, letter.detail.split(":")[0]) == ("invalid_field", "holders")


async def test_a_quote_over_http_counts_history_too(ledger: asyncpg.Pool) -> None:
    await promise(ledger, TWICE)
    await Stream(bought(1, days_ago(2)), bought(2, days_ago(1))).into(ledger)
    quotes = Quotes(ledger, Gatherer(Rulesets(), CODE_KEY, timedelta(minutes=15)))
    mine, yours = asks(1, intent="quote"), asks(2, intent="quote", customer_id="C2")
    assert (await quotes.quote(mine, encode(mine))).discount == 100
    assert (await quotes.quote(yours, encode(yours))).discount == 0


async def test_receipts_are_forgotten_when_they_can_no_longer_be_returned(
    ledger: asyncpg.Pool,
) -> None:
    await Stream(bought(1, days_ago(399)), bought(2, days_ago(1)), returns(1)).into(ledger)
    retention = Retention(ledger)
    assert await retention.forget_some() == 0
    await ledger.execute(
        "update purchases set occurred_at = occurred_at - interval '2 days'"
        " where receipt_id = 'bought-1'"
    )
    assert await retention.forget_some() == 1
    kept = await ledger.fetch("select receipt_id from purchases")
    assert [row["receipt_id"] for row in kept] == ["bought-2"]
    assert await _returned(ledger) == []


async def test_a_customers_window_is_one_range_of_an_index(ledger: asyncpg.Pool) -> None:
    """Whatever else has been sold: what an event costs must not grow with it."""
    await ledger.execute(
        "insert into purchases (receipt_id, customer_id, occurred_at, lines)"
        " select 'r-' || n, 'c-' || n % 500, now() - n * interval '1 minute', '\\x9190'"
        " from generate_series(1, 20000) as n"
    )
    await ledger.execute("analyze purchases")
    plan = "\n".join(
        row[0]
        for row in await ledger.fetch(
            f"explain {purchase_store.HISTORIES}",
            ["c-1", "c-2"],
            [days_ago(10), days_ago(20)],
        )
    )
    assert "Index Cond: ((customer_id = wanted.customer_id) AND (occurred_at >=" in plan
    assert "Seq Scan" not in plan
