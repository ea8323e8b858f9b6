"""What tills send wrong: over HTTP a problem that names the field, over Kafka a dead letter.

Either way the rest goes on and nothing is lost.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import ConsumerRecord

from deploy.local.stack import Stack
from shared import clock, database
from shared.cluster import partitions_of, records_behind
from shared.codec import encode
from shared.events.checkout import Cart
from shared.topics import CARTS, SALES, Topic
from tests.integration import emission, shop
from tests.integration.shop import Tills, a_cart, open_tills
from tests.waiting import until


@pytest.fixture(scope="module")
async def store_id(stack: Stack) -> str:
    """A store that the evaluator knows."""
    return (await shop.open_store(stack))[0]


@pytest.fixture(scope="module")
async def tills(stack: Stack) -> AsyncIterator[Tills]:
    """Open tills."""
    async with open_tills(stack) as opened:
        yield opened


def document(event: Cart, **changes: Any) -> dict[str, Any]:
    """The cart's JSON with some fields changed."""
    return {**json.loads(encode(event)), **changes}


def line_of(event: Cart, **changes: Any) -> list[dict[str, Any]]:
    """The cart's line with some fields changed."""
    return [{**document(event)["lines"][0], **changes}]


def far_in_the_future() -> str:
    return (clock.now() + timedelta(days=2)).isoformat()


# What is changed in a good cart, the field that the answer names, the dead letter's reason.
BAD: dict[str, tuple[Any, str, str]] = {
    "an unknown field": (lambda c: document(c, colour="red"), "colour", "invalid_field"),
    "a wrong type": (lambda c: document(c, revision="0"), "revision", "invalid_field"),
    "a negative quantity": (
        lambda c: document(c, lines=line_of(c, quantity=-1000)),
        "lines.0.quantity",
        "invalid_field",
    ),
    "an overflowing quantity": (
        lambda c: document(c, lines=line_of(c, quantity=2**63)),
        "lines.0.quantity",
        "invalid_field",
    ),
    "personal data in a customer id": (
        lambda c: document(c, customer_id="ann@example.com"),
        "customer_id",
        "invalid_field",
    ),
    "an unknown currency": (lambda c: document(c, currency="ZZZ"), "currency", "invalid_field"),
    "another currency than the store's": (
        lambda c: document(c, currency="USD"),
        "currency",
        "wrong_currency",
    ),
    "a time far in the future": (
        lambda c: document(c, occurred_at=far_in_the_future()),
        "occurred_at",
        "implausible_time",
    ),
    "an unknown store": (
        lambda c: document(c, store_id="nowhere"),
        "store_id",
        "unknown_store",
    ),
    "10,000 lines": (lambda c: document(c, lines=line_of(c) * 10_000), "lines", "invalid_field"),
    "a null byte": (
        lambda c: document(c, lines=line_of(c, sku="a\u0000b")),
        "lines.0.sku",
        "invalid_field",
    ),
    "a missing field": (
        lambda c: {k: v for k, v in document(c).items() if k != "terminal_id"},
        "terminal_id",
        "invalid_field",
    ),
}


@pytest.mark.parametrize("what", BAD)
async def test_over_http_a_problem_names_the_field(stack: Stack, store_id: str, what: str) -> None:
    change, field, _ = BAD[what]
    async with shop.client(stack, "evaluator") as till:
        answer = await till.post("/v1/quotes", json=change(a_cart(store_id, 1_000)))
    assert field in [f.rsplit(".", 0)[0] for f in emission.faulty_fields(answer, 422)]


async def test_over_http_invalid_json_is_a_problem(stack: Stack) -> None:
    async with shop.client(stack, "evaluator") as till:
        answer = await till.post("/v1/quotes", content=b'{"receipt_id": ')
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


async def test_over_http_a_token_without_the_scope_is_refused(stack: Stack, store_id: str) -> None:
    body = encode(a_cart(store_id, 1_000))
    async with httpx.AsyncClient(base_url=stack.url("evaluator"), trust_env=False) as nobody:
        answer = await nobody.post("/v1/quotes", content=body)
    assert answer.status_code == 401
    assert answer.json()["title"] == "Not authenticated"


@pytest.mark.parametrize("what", BAD)
async def test_over_kafka_a_dead_letter_says_why_and_the_rest_goes_on(
    stack: Stack, tills: Tills, store_id: str, what: str
) -> None:
    change, field, reason = BAD[what]
    bad = json.dumps(change(a_cart(store_id, 1_000))).encode()
    letter = await _dead_letter(stack, tills, store_id, bad)
    assert letter["ts_reason"] == reason.encode()
    assert field.encode() in letter["ts_detail"]
    assert b"ann@example.com" not in letter["ts_detail"]


@pytest.mark.parametrize("raw", [b"{not json", b"", b"\xff\xfe\x00", b"[]"])
async def test_over_kafka_what_is_no_cart_at_all_is_a_dead_letter(
    stack: Stack, tills: Tills, store_id: str, raw: bytes
) -> None:
    letter = await _dead_letter(stack, tills, store_id, raw)
    assert letter["ts_reason"] in (b"invalid_json", b"invalid_field")


@pytest.mark.parametrize(
    ("raw", "named"),
    [
        (b"{not json", b""),
        (b"[]", b""),
        (b'{"intent": "\xff"}', b""),
        (b'{"a": ' + b"[" * 100_000, b""),
        (b'{"intent": "refund"}', b"receipt_id"),
        (b'{"intent": "return", "receipt_id": "r-1", "given": []}', b"given"),
        (b'{"intent": "sale", "receipt_id": "r-1"}', b"lines"),
    ],
    ids=["no JSON", "no object", "no text", "too deep", "no such intent", "a return", "a sale"],
)
async def test_over_kafka_what_is_neither_sale_nor_return_is_a_dead_letter(
    stack: Stack, tills: Tills, store_id: str, raw: bytes, named: bytes
) -> None:
    letter = await _dead_letter(stack, tills, store_id, raw, topic=SALES)
    assert letter["ts_reason"] in (b"invalid_json", b"invalid_field")
    assert named in letter["ts_detail"]


async def test_over_kafka_an_event_without_an_id_is_a_dead_letter(
    stack: Stack, tills: Tills, store_id: str
) -> None:
    body = encode(a_cart(store_id, 1_000))
    letter = await _dead_letter(stack, tills, store_id, body, event_id=None)
    assert letter["ts_reason"] == b"missing_event_id"


@pytest.mark.parametrize(
    "hostile",
    [
        ("trace", None),
        ("ts_number", b"9" * 30),
        ("ts_number", None),
        ("\u00fcml\u00e4ut", b"\xff"),
    ],
    ids=["null", "a relay's number", "a relay's number, null", "not text"],
)
async def test_no_header_of_a_till_stops_the_rest(
    stack: Stack, tills: Tills, store_id: str, hostile: tuple[str, bytes | None]
) -> None:
    letter = await _dead_letter(
        stack, tills, store_id, b"{bad", more=[("ts_producer", b"me"), hostile]
    )
    assert letter["ts_reason"] == b"invalid_json"


async def test_what_is_too_large_to_be_kept_is_still_a_dead_letter(
    stack: Stack, store_id: str
) -> None:
    """Compressed, more comes through than a dead-letter topic takes."""
    async with open_tills(stack, compression_type="gzip") as tills:
        letter = await _dead_letter(stack, tills, store_id, b"x" * (5 * 1024 * 1024))
    assert letter["ts_reason"] == b"invalid_json"
    assert letter["ts_truncated"] == b"too large to be kept"


@pytest.mark.parametrize("codec", ["gzip", "lz4", "snappy", "zstd"])
async def test_tills_may_compress(stack: Stack, store_id: str, codec: str) -> None:
    async with open_tills(stack, compression_type=codec) as compressing:
        assert (await compressing.buy(a_cart(store_id, 1_000))).outcome == "decided"


async def test_a_till_may_use_transactions_and_what_it_aborts_never_was(
    stack: Stack, store_id: str
) -> None:
    async with open_tills(stack, transactional_id=emission.new_id("till")) as tills:
        kept, aborted = a_cart(store_id, 1_000), a_cart(store_id, 2_000)
        async with tills.producer.transaction():
            await tills.send(kept)
        await tills.producer.begin_transaction()
        await tills.send(aborted)
        await tills.producer.abort_transaction()
        await tills.decision(kept.receipt_id)
        last = a_cart(store_id, 3_000)
        async with tills.producer.transaction():
            await tills.send(last)
        await tills.decision(last.receipt_id)
        assert aborted.receipt_id not in tills.decisions
        await until(lambda: _is_caught_up(stack), what="markers of transactions are no lag")


async def _is_caught_up(stack: Stack) -> bool:
    async with await database.pool(stack.database("evaluator")) as pool:
        behind = await records_behind(stack.kafka, pool, "evaluator.checkout", [CARTS.name])
    return behind == {CARTS.name: 0}


async def test_a_conflicting_duplicate_is_refused_and_reported(
    stack: Stack, tills: Tills, store_id: str
) -> None:
    first = a_cart(store_id, 1_000)
    event_id = await tills.send(first)
    await tills.decision(first.receipt_id)
    other = encode(a_cart(store_id, 2_000, receipt_id=first.receipt_id))
    letter = await _dead_letter(stack, tills, store_id, other, event_id=event_id)
    assert letter["ts_reason"] == b"conflicting_event"


async def test_a_duplicate_is_no_dead_letter(stack: Stack, tills: Tills, store_id: str) -> None:
    cart = a_cart(store_id, 1_000)
    before = await _count_of_letters(stack, CARTS)
    event_id = await tills.send(cart)
    await tills.send(cart, event_id)
    await tills.decision(cart.receipt_id, number=2)
    assert await _count_of_letters(stack, CARTS) == before


async def test_a_second_sale_of_a_receipt_is_refused_and_reported(
    stack: Stack, tills: Tills, store_id: str
) -> None:
    cart = a_cart(store_id, 1_000)
    decision = await tills.buy(cart)
    again = shop.sale_of(cart, decision).model_copy(update={"revision": 7})
    letter = await _dead_letter(stack, tills, store_id, encode(again), topic=SALES)
    assert letter["ts_reason"] == b"already_paid"


async def test_dead_letters_are_counted(stack: Stack, tills: Tills, store_id: str) -> None:
    before = await _counter(stack, "unknown_store")
    bad = json.dumps(document(a_cart(store_id, 1_000), store_id="nowhere")).encode()
    await _dead_letter(stack, tills, store_id, bad)
    assert await _counter(stack, "unknown_store") == before + 1


async def _dead_letter(
    stack: Stack,
    tills: Tills,
    store_id: str,
    body: bytes,
    *,
    event_id: str | None = "the-event",
    topic: Topic = CARTS,
    more: Sequence[tuple[str, bytes | None]] = (),
) -> dict[str, bytes]:
    """The dead letter's headers; a good cart right behind the bad one must be answered."""
    if event_id == "the-event":
        event_id = emission.new_id("event")
    async with AIOKafkaConsumer(bootstrap_servers=stack.kafka) as reader:
        await _from_now_on(reader, await partitions_of(stack.kafka, [topic.dead_letter_name]))
        sent = await tills.send_raw(topic, body, event_id, store_id, "t0", more)
        good = a_cart(store_id, 1_000, terminal_id="t0")
        await tills.send(good)
        await tills.decision(good.receipt_id)
        letter = await asyncio.wait_for(_letter_of(reader, sent), 20)
    headers = dict(letter.headers)
    if "ts_truncated" not in headers:
        assert (letter.value or b"") == body
    assert headers["ts_origin_topic"] == topic.name.encode()
    assert headers["ts_origin_offset"] == str(sent.offset).encode()
    return headers


async def _from_now_on(reader: AIOKafkaConsumer, partitions: list[TopicPartition]) -> None:
    reader.assign(partitions)
    await reader.seek_to_end(*partitions)
    for partition in partitions:
        await reader.position(partition)


async def _letter_of(reader: AIOKafkaConsumer, sent: Any) -> ConsumerRecord:
    async for letter in reader:
        headers = dict(letter.headers)
        origin = (headers["ts_origin_partition"], headers["ts_origin_offset"])
        if origin == (str(sent.partition).encode(), str(sent.offset).encode()):
            return letter
    raise AssertionError


async def _count_of_letters(stack: Stack, topic: Topic) -> int:
    partitions = await partitions_of(stack.kafka, [topic.dead_letter_name])
    async with AIOKafkaConsumer(bootstrap_servers=stack.kafka) as reader:
        return sum((await reader.end_offsets(partitions)).values())


async def _counter(stack: Stack, reason: str) -> float:
    async with httpx.AsyncClient(base_url=stack.url("evaluator"), trust_env=False) as operator:
        text = (await operator.get("/metrics")).text
    name = f'tillstream_dead_letters_total{{reason="{reason}",topic="{CARTS.name}"}}'
    return sum(float(row.split()[-1]) for row in text.splitlines() if row.startswith(name))
