"""Emission erases a customer: out of every table and compacted topic, and nobody else gets their codes."""

import asyncio
from datetime import timedelta
from typing import Any

import asyncpg
import httpx
from aiokafka import AIOKafkaProducer
from aiokafka.structs import ConsumerRecord

from deploy.local.stack import Stack
from services.emission.chunks import Sayer
from services.emission.cipher import CodeCipher
from services.emission.drafts import Drafts
from services.emission.erasing import Erasing
from services.emission.issuing import Issuing
from services.emission.store import erasures as store
from services.emission.stream import Stream
from shared import clock, topics
from shared.codec import cloud_event_headers, decode, encode, header
from shared.events.customers import Erased, Erasure
from shared.events.reference import NOBODY, CodeChunk
from shared.events.values import Event
from shared.outbox import REPEATS_HEADER
from tests.integration import shop, traces
from tests.integration.emission import instrument_of, new_id, ok, post
from tests.integration.requests import a_request, issued, on_request, records_of
from tests.integration.shop import a_cart
from tests.waiting import until

Json = dict[str, Any]
CODE_KEY = bytes(range(32))


def an_erasure(customer_id: str, **fields: Any) -> Erasure:
    known: Json = {"erasure_id": new_id("x"), "requested_at": clock.now()}
    return Erasure(customer_id=customer_id, **(known | fields))


async def erase(stack: Stack, *erasures: Erasure) -> None:
    """Put the erasures on their topic."""
    topic = topics.ERASURES
    async with AIOKafkaProducer(bootstrap_servers=stack.kafka) as producer:
        for one in erasures:
            headers = cloud_event_headers(one.erasure_id, topic.event_type, "/test", clock.now())
            key = one.customer_id.encode()
            await producer.send_and_wait(topic.name, encode(one), key=key, headers=headers)


async def reports(stack: Stack, erasure_id: str, count: int = 1) -> list[ConsumerRecord]:
    """What emission has reported, once it has so often."""

    async def there() -> list[ConsumerRecord]:
        found = await records_of(stack, topics.ERASED.name, erasure_id)
        own = [one for one in found if b'"emission"' in (one.value or b"")]
        return own if len(own) >= count else []

    return await until(there, what="the report")


async def last_chunks(stack: Stack, emission_id: str) -> dict[int, tuple[CodeChunk, list[bool]]]:
    """What was said last of each chunk of the emission, and which times were said to be a repeat."""
    found: dict[int, tuple[CodeChunk, list[bool]]] = {}
    for record in await records_of(stack, topics.CODES.name, emission_id):
        chunk = decode(CodeChunk, record.value or b"")
        times = found[chunk.chunk][1] if chunk.chunk in found else []
        repeats = header(record.headers, REPEATS_HEADER) is not None
        found[chunk.chunk] = (chunk, [*times, repeats])
    return found


async def batch(client: httpx.AsyncClient, customers: list[str], **fields: Any) -> str:
    """A draft of codes for the customers; its id."""
    body = {"emission_id": new_id("e"), "name": "Batch", "kind": "personal"}
    given = ok(
        await client.post("/v1/emissions", json=body | {"customers": customers} | fields), 201
    )
    return str(given["emission_id"])


async def test_nothing_of_a_customer_is_left(client: httpx.AsyncClient, stack: Stack) -> None:
    mine, other = new_id("c"), new_id("c")
    group = new_id("g")
    members = {"name": "Regulars", "customers": [mine, other]}
    ok(await client.put(f"/v1/customer-groups/{group}", json=members))
    birthdays = [{"customer_id": one, "birthday": "02-29"} for one in (mine, other)]
    ok(await client.put("/v1/customers", json={"customers": birthdays}))
    posted, draft = (
        await batch(client, [other, mine], count=3),
        await batch(client, [mine, other]),
    )
    await post(client, posted)
    requested = await on_request(client)
    requests = [a_request(requested, customer_id=one) for one in (mine, other, mine)]
    ends = requests[0].valid_until + timedelta(hours=1)
    requests[2] = a_request(requested, customer_id=mine, valid_until=ends)
    await issued(stack, *requests)
    drafts = [new_id("d"), new_id("d")]
    for name, customer in zip(drafts, (mine, other), strict=True):
        body = {"body": {"name": f"for {customer}"}}
        ok(await client.put(f"/v1/drafts/instrument/{name}", json=body))
    assert (await traces.in_tables(stack, "emission", mine)).keys() >= {
        "group_members",
        "birthdays",
        "code_holders",
        "requested_codes",
        "code_requests",
    }

    erasure = an_erasure(mine)
    await erase(stack, erasure)
    [report] = await reports(stack, erasure.erasure_id)

    assert await traces.in_tables(stack, "emission", mine) == {}
    assert (await traces.in_tables(stack, "emission", other)).keys() >= {"group_members"}
    typed = ok(await client.get("/v1/drafts"))["items"]
    assert [one["id"] for one in typed if one["id"] in drafts] == drafts[1:]
    done = decode(Erased, report.value or b"")
    assert {one.table: (one.deleted, one.anonymised) for one in done.tables} == {
        "group_members": (1, 0),
        "birthdays": (1, 0),
        "code_requests": (2, 0),
        "drafts": (1, 0),
        "code_holders": (0, 2),
        "requested_codes": (0, 2),
    }
    assert done.tombstones == ("reference.customers.v1",)
    assert "promo.codes.v1" in done.ages_out
    assert mine.encode() not in (report.value or b"")
    says = await traces.latest(stack, topics.CUSTOMERS)
    assert says[mine.encode()] is None
    assert says[other.encode()] is not None
    # The codes are nobody's now, wherever they were published, and never anybody's.
    [(chunk, times)] = (await last_chunks(stack, posted)).values()
    assert (chunk.holders, times) == ((other, NOBODY, None), [False, True])
    assert [row[1] for row in await exported(client, posted)] == [other, NOBODY, ""]
    chunks = await last_chunks(stack, requested)
    assert sorted(h for chunk, _ in chunks.values() for h in chunk.holders if h) == sorted(
        [other, NOBODY, NOBODY]
    )
    assert all(times == [False, True] for _, times in chunks.values() if times)
    assert {chunk.valid_until for chunk, _ in chunks.values()} == {requests[0].valid_until, ends}
    await post(client, draft)
    [(chunk, times)] = (await last_chunks(stack, draft)).values()
    assert (chunk.holders, times) == ((NOBODY, other), [False])
    # A copy has codes for those who are left, and no code for anybody instead.
    copy = ok(
        await client.post(f"/v1/emissions/{draft}/copy", json={"emission_id": new_id("e")}), 201
    )
    assert (copy["count"], copy["bound"]) == (1, 1)


async def exported(client: httpx.AsyncClient, emission_id: str) -> list[list[str]]:
    text = (await client.get(f"/v1/emissions/{emission_id}/codes")).text
    return [line.split(",") for line in text.splitlines()[1:]]


async def test_an_erasure_is_done_once_and_reported_as_often_as_it_is_asked_for(
    client: httpx.AsyncClient, stack: Stack
) -> None:
    mine, other = new_id("c"), new_id("c")
    emission_id = await batch(client, [mine, other])
    await post(client, emission_id)
    erasure = an_erasure(mine)
    mistaken = an_erasure(other, erasure_id=erasure.erasure_id)
    await erase(stack, erasure, mistaken, erasure)
    first, second = await reports(stack, erasure.erasure_id, 2)
    assert first.value == second.value
    assert header(second.headers, REPEATS_HEADER) is not None
    [(chunk, times)] = (await last_chunks(stack, emission_id)).values()
    assert (chunk.holders, times) == ((NOBODY, other), [False, True])
    dead = await records_of(stack, topics.ERASURES.dead_letter_name, other)
    assert [header(one.headers, "ts_reason") for one in dead] == ["conflicting_erasure"]


async def test_what_was_asked_for_before_is_refused_and_who_comes_back_is_served(
    client: httpx.AsyncClient, stack: Stack
) -> None:
    mine, emission_id = new_id("c"), await on_request(client)
    erasure = an_erasure(mine)
    await erase(stack, erasure)
    await reports(stack, erasure.erasure_id)
    asked_at = erasure.requested_at - timedelta(hours=1)
    late = a_request(emission_id, customer_id=mine, requested_at=asked_at)
    [refused] = await issued(stack, late)
    assert refused.refused == "erased"
    assert await traces.in_tables(stack, "emission", mine) == {}
    asked_at = erasure.requested_at + timedelta(minutes=2)
    back = a_request(emission_id, customer_id=mine, requested_at=asked_at)
    [given] = await issued(stack, back)
    assert given.code


async def test_the_code_of_an_erased_customer_is_taken_from_nobody(
    client: httpx.AsyncClient, stack: Stack
) -> None:
    """Neither from others nor from whoever comes without a card: also where anybody's codes are taken."""
    [store_id] = await shop.open_store(stack)
    posted = await batch(client, [mine := new_id("c"), other := new_id("c")])
    await post(client, posted)
    requested = await on_request(client)
    theirs = await issued(stack, *(a_request(requested, customer_id=one) for one in (mine, other)))
    codes = [row[0] for row in await exported(client, posted)] + [str(one.code) for one in theirs]
    instruments = [instrument_of(one) for one in (posted, requested)]
    for one in instruments:
        del one["conditions"][1]["cap"]
    await shop.run_campaign(stack, instruments, stores=[store_id])

    async with shop.client(stack, "evaluator") as till:

        async def taken(code: str, customer_id: str | None) -> bool:
            cart = a_cart(store_id, 30_000, codes=[code], customer_id=customer_id)
            body = cart.model_dump(mode="json", exclude_none=True) | {"intent": "quote"}
            return bool(ok(await till.post("/v1/quotes", json=body)).get("applied"))

        async def known() -> bool:
            return all([await taken(code, None) for code in codes])

        await until(known, what="the evaluator to know the codes")
        erasure = an_erasure(mine)
        await erase(stack, erasure)
        await reports(stack, erasure.erasure_id)

        async def withdrawn() -> bool:
            return not await taken(codes[0], None) and not await taken(codes[2], None)

        await until(withdrawn, what="the codes to be taken no more")
        for customer_id in (None, mine, other):
            assert not await taken(codes[0], customer_id)
            assert not await taken(codes[2], customer_id)
            assert await taken(codes[1], customer_id)
            assert await taken(codes[3], customer_id)


async def test_an_emission_that_is_being_posted_publishes_no_customer_for_good(
    client: httpx.AsyncClient, stack: Stack
) -> None:
    customers = [f"{new_id('c')}-{n}" for n in range(60)]
    many = [f"{one}-{n}" for n in range(200) for one in customers]
    first, last = many[0], many[-1]
    emission_id = await batch(client, many)
    ok(await client.post(f"/v1/emissions/{emission_id}/post"), 202)
    erasures = [an_erasure(first), an_erasure(last)]
    await erase(stack, *erasures)
    for one in erasures:
        await reports(stack, one.erasure_id)
    await post(client, emission_id)
    assert await traces.in_tables(stack, "emission", first) == {}
    chunks = await last_chunks(stack, emission_id)
    holders = [holder for number in sorted(chunks) for holder in chunks[number][0].holders]
    assert holders == [NOBODY, *many[1:-1], NOBODY]


def a_stream(pool: asyncpg.Pool) -> Stream:
    cipher = CodeCipher.of("A" * 43 + "=")
    erasing = Erasing(Drafts(pool, cipher), Sayer(cipher, CODE_KEY), CODE_KEY)
    return Stream(erasing, Issuing(cipher, CODE_KEY))


def record(topic: topics.Topic, event: Event) -> ConsumerRecord:
    return ConsumerRecord(topic.name, 0, 0, 0, 0, b"k", encode(event), None, 0, 0, ())


async def test_a_code_that_is_being_made_while_its_customer_is_erased_is_erased_too(
    emission_tables: asyncpg.Pool,
) -> None:
    """Requests and erasures are on different topics: two processes may read them at once."""
    await emission_tables.execute(
        "insert into emissions (emission_id, name, kind, count, pattern, single_use, status, posting_since)"
        " values ('e1', 'E', 'personal', 0, '########', true, 'posted', now())"
    )
    stream, request = a_stream(emission_tables), a_request("e1", customer_id="c-17")
    erasure = an_erasure("c-17", requested_at=request.requested_at)

    async def erased() -> None:
        async with emission_tables.acquire() as connection, connection.transaction():
            await stream.apply(connection, [record(topics.ERASURES, erasure)])

    async with emission_tables.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await stream.apply(connection, [record(topics.CODE_REQUESTS, request)])
        erasing = asyncio.create_task(erased())

        async def waits() -> bool:
            query = (
                "select exists(select from pg_locks where locktype = 'advisory' and not granted)"
            )
            return bool(await emission_tables.fetchval(query))

        await until(waits, what="the erasure to wait")
        await transaction.commit()
    await erasing
    rows = await emission_tables.fetch("select customer_id from requested_codes")
    assert [row["customer_id"] for row in rows] == [NOBODY]
    assert await emission_tables.fetchval("select count(*) from code_requests") == 0


async def test_who_was_erased_is_forgotten_after_a_month(emission_tables: asyncpg.Pool) -> None:
    erasure = an_erasure("c-17")
    async with emission_tables.acquire() as connection, connection.transaction():
        await a_stream(emission_tables).apply(connection, [record(topics.ERASURES, erasure)])
    now = clock.now()
    async with emission_tables.acquire() as connection:
        assert await store.forget(connection, now - timedelta(days=30), 10) == 0
        assert await store.forget(connection, now + timedelta(days=1), 10) == 1
