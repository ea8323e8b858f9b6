"""What a customer bought before, on the real PostgreSQL: late sales, any batches, who they are."""

from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import pytest

from services.evaluator.answer import encode as encode_answer
from services.evaluator.quoting import UnknownError
from services.evaluator.retention import Retention
from services.evaluator.store import purchases as purchase_store
from shared import codes
from shared.codec import decode
from shared.events.conditions import (
    Birthday,
    CustomerSegment,
    DaysSincePurchase,
    FirstPurchase,
    PurchaseCount,
    PurchaseSum,
)
from shared.events.outcome import Decision
from shared.events.promotion import LimitRule, Rolling
from shared.events.reference import CodeChunk, Customer, SegmentChange
from shared.topics import DECISIONS
from tests.builders import (
    CODE_KEY,
    bonuses,
    code,
    compare,
    emission,
    in_group,
    instrument,
    sale,
    sold_line,
)
from tests.integration.evaluator import (
    NOW,
    Stream,
    asks,
    bought,
    days_ago,
    discounts,
    evaluator,
    learn,
    promise,
    quotes_of,
    returned,
    returns,
    run,
)
from tests.integration.outgoing import waiting


@pytest.fixture
async def ledger(dsn: str) -> AsyncIterator[asyncpg.Pool]:
    """The evaluator's tables, with one store."""
    async with evaluator(dsn) as pool:
        yield pool


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


async def test_all_of_a_long_history_must_come_back_to_make_a_first_purchase(
    ledger: asyncpg.Pool,
) -> None:
    """Only its beginning is read: as much as the batch's returns may undo, and not less."""
    await promise(ledger, FirstPurchase(), starts_at=days_ago(1))
    earlier = [bought(n, days_ago(100 - n)) for n in range(6)]
    stream = Stream(
        *earlier,
        asks(1),
        *[returns(n) for n in range(5)],
        asks(2),
        returns(5),
        asks(3),
    )
    for size in (1, 4, len(stream.records)):
        await ledger.execute(
            "truncate receipts, redemptions, checkout_events, purchases, outbox cascade"
        )
        assert await stream.into(ledger, size) == []
        found = await discounts(ledger)
        assert [found[f"cart-{n}"] for n in (1, 2, 3)] == [0, 0, 100], f"batches of {size}"


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
    quotes = await quotes_of(ledger)
    mine, yours = asks(1, intent="quote"), asks(2, intent="quote", customer_id="C2")
    assert (await quotes.quote(mine)).discount == 100
    assert (await quotes.quote(yours)).discount == 0


@pytest.mark.parametrize(("taken", "applied"), [(False, 2), (True, 1)])
async def test_a_quote_over_http_is_the_decision_that_the_desk_makes(
    ledger: asyncpg.Pool, taken: bool, applied: int
) -> None:
    await learn(ledger, Customer(customer_id="C1", groups=("vip",), birthday="02-29"))
    await run(
        ledger,
        [
            instrument("twice", [TWICE], limits=(LimitRule(redemptions=1),)),
            instrument("vip", [in_group("vip")], bonuses(percent=500)),
            instrument("more", [PurchaseSum(compare=compare(10_000))]),
        ],
    )
    await Stream(bought(1, days_ago(2)), bought(2, days_ago(1))).into(ledger)
    if taken:
        await Stream(asks(9)).into(ledger)
    quote = asks(1, intent="quote", codes=["UNKNOWN"])
    quotes = await quotes_of(ledger)
    over_http = decode(Decision, encode_answer(await quotes.quote(quote)), ignore_unknown=True)
    await Stream(quote).into(ledger)
    at_the_desk = await _last_decision(ledger)
    own = {"decision_id", "decided_at"}
    assert over_http.model_dump(exclude=own) == at_the_desk.model_dump(exclude=own)
    assert len(at_the_desk.applied) == applied


async def test_a_quote_before_postgresql_has_answered_once_is_refused_as_unknown(
    ledger: asyncpg.Pool,
) -> None:
    quotes = await quotes_of(ledger, answered=False)
    with pytest.raises(UnknownError):
        await quotes.quote(asks(1, intent="quote"))


async def _last_decision(pool: asyncpg.Pool) -> Decision:
    bodies = await waiting(pool, DECISIONS)
    return decode(Decision, bodies[-1] or b"", ignore_unknown=True)


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
    assert await returned(ledger) == []


async def test_a_customers_window_is_one_range_of_an_index(ledger: asyncpg.Pool) -> None:
    """Whatever else has been sold: what an event costs must not grow with it."""
    await ledger.execute(
        "insert into purchases (receipt_id, customer_id, occurred_at, lines, counts)"
        " select 'r-' || n, 'c-' || n % 500, now() - n * interval '1 minute', '\\x9190', true"
        " from generate_series(1, 20000) as n"
    )
    await ledger.execute("analyze purchases")
    plan = "\n".join(
        row[0]
        for row in await ledger.fetch(
            f"explain {purchase_store.HISTORIES}",
            ["c-1", "c-2"],
            [days_ago(10), days_ago(20)],
            [2, 0],
        )
    )
    for range_of_the_index in ("occurred_at >= wanted.since", "occurred_at < wanted.since"):
        assert f"Cond: ((customer_id = wanted.customer_id) AND ({range_of_the_index}" in plan
    assert "Seq Scan" not in plan
