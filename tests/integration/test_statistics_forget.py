"""Statistics forget a customer: nothing is known under the hash, and every figure is as it was."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from aiokafka.structs import ConsumerRecord

from services.analytics import erasing, stream
from services.analytics.erasing import Erasing
from services.analytics.insight.customers import unpack
from services.analytics.insight.folding import customer_of
from shared import clock
from shared.codec import decode, encode
from shared.events.customers import Erased, Erasure
from shared.events.values import Event
from shared.topics import ERASED, ERASURES, RECEIPTS, RETURNS, Topic
from tests.integration import traces
from tests.integration.outgoing import waiting
from tests.integration.statistics import DAY, Api, opened
from tests.integration.test_effectiveness import bought, paid_by, running
from tests.unit.analytics.records import NOON, returned

WHO = "c-7"
NOW = clock.now()
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def api(dsn: str) -> AsyncIterator[Api]:
    """Customers of both arms have bought, on two days, and some of it came back."""
    async with opened(dsn) as one:
        await one.apply(running(control_group=5_000))
        await one.apply(*paid_by(120, 100))
        await one.apply(bought(WHO, exposed=("campaign-1",), occurred_at=NOON - timedelta(days=1)))
        await one.apply(returned(customer_id=WHO, refund=300, sold_at=NOON))
        await one.apply(returned(customer_id="c-8", refund=200, sold_at=NOON))
        yield one


def record(topic: Topic, event: Event, at: datetime) -> ConsumerRecord:
    stamp = int(at.timestamp() * 1000)
    return ConsumerRecord(topic.name, 0, 0, stamp, 0, b"k", encode(event), None, 0, 0, ())


async def read(api: Api, *records: ConsumerRecord) -> None:
    async with api.pool.acquire() as connection, connection.transaction():
        assert await erasing.apply(connection, records) == []


async def asked(api: Api, erasure_id: str = "x-1", customer_id: str = WHO) -> None:
    asks = Erasure(erasure_id=erasure_id, customer_id=customer_id, requested_at=NOW)
    await read(api, record(ERASURES, asks, NOW))


async def done_by(api: Api, service: Any, erasure_id: str = "x-1", at: datetime = NOW) -> None:
    report = Erased(erasure_id=erasure_id, service=service, erased_at=at)
    await read(api, record(ERASED, report, at))


async def counted_until(api: Api, at: datetime, *topics: Topic) -> None:
    for topic in topics or (RECEIPTS, RETURNS):
        await api.pool.execute(
            "insert into offsets (consumer, topic, partition, next, cluster_id, read_until)"
            " select $1, $2, n, 0, 'test', $4 from generate_series(0, $3 - 1) as n"
            " on conflict (consumer, topic, partition) do update set read_until = $4",
            stream.CONSUMER,
            topic.name,
            topic.partitions,
            at,
        )


async def erase(api: Api, erasure_id: str = "x-1") -> None:
    await asked(api, erasure_id)
    await done_by(api, "evaluator", erasure_id)
    await counted_until(api, NOW + MINUTE)
    assert await Erasing(api.pool).erase_one()
    assert not await Erasing(api.pool).erase_one()


async def reports(api: Api) -> list[Erased]:
    return [decode(Erased, body or b"") for body in await waiting(api.pool, ERASED)]


async def left(api: Api, customer_id: str = WHO) -> dict[str, int]:
    """Where the hash is. It is in sketches, too, of which none can be taken out again."""
    customer = customer_of(customer_id)
    async with api.pool.acquire() as connection:
        found = await traces.in_database(connection, str(customer))
        marks = await connection.fetch("select marks from customer_marks")
    batches = sum(any(m.customer == customer for m in unpack(row["marks"])) for row in marks)
    return found | ({"customer_marks": batches} if batches else {})


async def figures(api: Api) -> list[dict[str, Any]]:
    """All that is told of campaigns and customers, whenever it is asked."""
    told = [await api.ask("effectiveness", **DAY), await api.ask("customers")]
    passing = {"as_of", "counted_until", "sources"}
    return [{k: v for k, v in one.items() if k not in passing} for one in told]


async def test_nothing_is_left_under_the_hash_and_every_figure_is_as_it_was(api: Api) -> None:
    before = await figures(api)
    had = await left(api)
    assert had == {"customer_marks": 2, "customer_refunds": 1, "participants": 1}
    others = await left(api, "c-8")
    await erase(api)
    assert await left(api) == {}
    assert {**await left(api, "c-8"), "customer_marks": 1} == others
    assert await figures(api) == before
    [report] = await reports(api)
    told = {one.table: (one.deleted, one.anonymised) for one in report.tables}
    assert told == {"customer_refunds": (0, 1), "participants": (0, 1)}
    assert (report.erasure_id, report.service) == ("x-1", "analytics")


async def test_it_waits_until_the_evaluator_has_and_all_of_before_is_counted(api: Api) -> None:
    erasing_one = Erasing(api.pool).erase_one
    await counted_until(api, NOW + MINUTE)
    await asked(api)
    assert not await erasing_one(), "the evaluator may still say something of them"
    await done_by(api, "customers")
    assert not await erasing_one()
    await counted_until(api, NOW - MINUTE, RETURNS)
    await done_by(api, "evaluator")
    assert not await erasing_one(), "what it has said has not been counted"
    await counted_until(api, NOW + MINUTE, RETURNS)
    assert await erasing_one()


async def test_nothing_is_known_of_what_is_counted_before_all_partitions_are(api: Api) -> None:
    await asked(api)
    await done_by(api, "evaluator")
    await counted_until(api, NOW + MINUTE)
    await api.pool.execute("delete from offsets where topic = $1 and partition = 0", RETURNS.name)
    assert not await Erasing(api.pool).erase_one()


async def test_the_evaluator_s_report_may_be_read_first_and_both_again(api: Api) -> None:
    await done_by(api, "evaluator")
    await counted_until(api, NOW + MINUTE)
    assert not await Erasing(api.pool).erase_one()
    await asked(api)
    assert await Erasing(api.pool).erase_one()
    await asked(api)
    await done_by(api, "evaluator")
    assert not await Erasing(api.pool).erase_one()
    assert len(await reports(api)) == 1
    assert await left(api) == {}


async def test_who_comes_back_is_another_customer(api: Api) -> None:
    await erase(api)
    await api.apply(bought(WHO, exposed=("campaign-1",)))
    [row] = (await api.ask("effectiveness", **DAY))["rows"]
    assert row["uplift"]["treated"]["customers"] == 121
    rows = await api.pool.fetch(
        "select count(*), sum(revenue::numeric * revenue) from participants"
    )
    sums = await api.pool.fetch("select sum(customers), sum(squares) from arms")
    assert [tuple(row) for row in rows] == [tuple(row) for row in sums]
    await erase(api, "x-2")
    assert await left(api) == {}
    assert len(await reports(api)) == 2
