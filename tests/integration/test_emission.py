"""Emission against real servers: what authors write is kept, published, and survives a kill."""

import asyncio
import os
import signal
import tempfile
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from deploy.local import stack as local
from deploy.local.stack import Stack
from shared import clock, topics
from shared.codec import decode, header
from shared.codes import digest, unpack
from shared.events.promotion import Campaign
from shared.events.reference import CodeChunk, Customer, Store
from shared.web.auth import SCOPES, sign

pytestmark = pytest.mark.slow

Event = Campaign | CodeChunk | Customer | Store


@pytest.fixture(scope="module")
def emission_stack() -> Iterator[Stack]:
    """Kafka, PostgreSQL and emission alone."""
    with tempfile.TemporaryDirectory(prefix="tillstream-emission-") as directory:
        state = Path(directory)
        try:
            yield local.up(state, only=["kafka", "postgres", "emission"])
        finally:
            local.down(state, delete=True)


@pytest.fixture
async def client(emission_stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    """An author with every scope."""
    token = sign(
        emission_stack.secrets.signing_key, "author", SCOPES, timedelta(hours=1), clock.now()
    )
    async with httpx.AsyncClient(
        base_url=emission_stack.url("emission"),
        headers={"Authorization": f"Bearer {token}"},
        timeout=30,
        trust_env=False,
    ) as one:
        yield one


def _id(noun: str) -> str:
    return f"{noun}-{uuid4().hex[:10]}"


async def _until(condition: Callable[[], Awaitable[bool]], seconds: float = 90) -> None:
    deadline = clock.monotonic() + seconds
    while not await condition():
        assert clock.monotonic() < deadline, "not within the time"
        await asyncio.sleep(0.05)


async def _published(stack: Stack, topic: topics.Topic, key: str) -> list[tuple[str, Any]]:
    """Event ids and events of ``key``, oldest first, once the outbox is empty."""
    connection = await asyncpg.connect(stack.database("emission"))
    try:

        async def sent() -> bool:
            return not await connection.fetchval("select exists(select from outbox)")

        await _until(sent)
    finally:
        await connection.close()
    consumer = AIOKafkaConsumer(bootstrap_servers=stack.kafka, auto_offset_reset="earliest")
    await consumer.start()
    try:
        partitions = [
            TopicPartition(topic.name, p) for p in await _partitions(consumer, topic.name)
        ]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        found = []
        for partition in partitions:
            while await consumer.position(partition) < ends[partition]:
                for record in (await consumer.getmany(partition, timeout_ms=1000)).get(
                    partition, []
                ):
                    if record.key == key.encode():
                        event = decode(topic.event, record.value)
                        found.append((header(record.headers, "ce_id") or "", event))
        return found
    finally:
        await consumer.stop()


async def _partitions(consumer: AIOKafkaConsumer, topic: str) -> list[int]:
    await consumer._client.add_topic(topic)
    return sorted(consumer.partitions_for_topic(topic) or ())


def _ok(answer: httpx.Response, status: int = 200) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    body: dict[str, Any] = answer.json()
    return body


def _fields(answer: httpx.Response, status: int) -> list[str]:
    document = _ok(answer, status)
    assert answer.headers["content-type"] == "application/problem+json"
    return [error["field"] for error in document["errors"]]


async def _posted(client: httpx.AsyncClient, emission_id: str) -> None:
    _ok(await client.post(f"/v1/emissions/{emission_id}/post"), 202)

    async def posted() -> bool:
        return bool(_ok(await client.get(f"/v1/emissions/{emission_id}"))["status"] == "posted")

    await _until(posted)


def _mass(word: str, **fields: Any) -> dict[str, Any]:
    return {"emission_id": _id("e"), "name": word, "kind": "mass", "word": word} | fields


def _word() -> str:
    return f"WELCOME{uuid4().hex[:8]}"


def _store(**fields: Any) -> dict[str, Any]:
    known = {"name": "First", "region": "North", "time_zone": "Europe/Kyiv", "currency": "UAH"}
    return {"store_id": _id("s")} | known | fields


def _instrument(emission_id: str | None = None, percent: int = 1000) -> dict[str, Any]:
    conditions: list[dict[str, Any]] = [
        {"kind": "receipt_total", "compare": {"op": ">=", "value": 30_000}}
    ]
    if emission_id is not None:
        conditions.append({"kind": "promo_code", "emission_id": emission_id, "cap": 1000})
    return {
        "instrument_id": _id("i"),
        "name": "10% off the receipt",
        "conditions": conditions,
        "benefit": {"kind": "percent_off", "percent": percent},
    }


def _plan(*instruments: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {
        "campaign_id": _id("c"),
        "name": "December",
        "comment": "first line\nsecond line",
        "time_zone": "Europe/Kyiv",
        "first_day": "2026-12-05",
        "last_day": "2026-12-31",
        "instruments": [one["instrument_id"] for one in instruments],
    } | fields


async def test_the_worked_example_is_published_whole(
    client: httpx.AsyncClient, emission_stack: Stack
) -> None:
    emission, store = _mass(_word()), _store()
    instrument = _instrument(emission["emission_id"])
    plan = _plan(instrument, stores=[store["store_id"]])
    assert _ok(await client.post("/v1/emissions", json=emission), 201)["status"] == "draft"
    await _posted(client, emission["emission_id"])
    assert _ok(await client.put("/v1/stores", json={"stores": [store]}))["changed"] == 1
    assert _ok(await client.post("/v1/instruments", json=instrument), 201)["name"]
    assert _ok(await client.post("/v1/campaigns", json=plan), 201)["status"] == "draft"
    view = _ok(await client.post(f"/v1/campaigns/{plan['campaign_id']}/start"))
    assert (view["status"], view["version"]) == ("running", 1)

    ((_, chunk),) = await _published(emission_stack, topics.CODES, emission["emission_id"])
    key = bytes.fromhex(emission_stack.secrets.code_key)
    assert unpack(chunk.digests) == [digest(emission["word"].lower(), key)]
    ((event_id, campaign),) = await _published(
        emission_stack, topics.CAMPAIGNS, plan["campaign_id"]
    )
    assert event_id == f"{plan['campaign_id']}:1"
    assert campaign.starts_at.isoformat() == "2026-12-04T22:00:00+00:00"
    assert campaign.ends_at.isoformat() == "2026-12-31T22:00:00+00:00"
    assert campaign.stores == (store["store_id"],)
    assert campaign.instruments[0].conditions[1].cap == 1000
    assert campaign.emissions[0].posted_codes == 1


async def test_a_campaign_does_not_start_on_an_emission_that_is_not_posted(
    client: httpx.AsyncClient, emission_stack: Stack
) -> None:
    emission = _mass(_word())
    instrument = _instrument(emission["emission_id"])
    plan = _plan(instrument)
    start = f"/v1/campaigns/{plan['campaign_id']}/start"
    for path, body in (("emissions", emission), ("instruments", instrument), ("campaigns", plan)):
        _ok(await client.post(f"/v1/{path}", json=body), 201)
    assert _fields(await client.post(start), 409) == ["instruments.0.conditions.1.emission_id"]
    assert await _published(emission_stack, topics.CAMPAIGNS, plan["campaign_id"]) == []
    await _posted(client, emission["emission_id"])
    assert _ok(await client.post(start))["status"] == "running"


async def test_every_change_of_a_started_campaign_is_a_new_version(
    client: httpx.AsyncClient, emission_stack: Stack
) -> None:
    instrument = _instrument()
    plan = _plan(instrument)
    at = f"/v1/campaigns/{plan['campaign_id']}"
    edited = instrument | {"benefit": {"kind": "percent_off", "percent": 2000}}
    _ok(await client.post("/v1/instruments", json=instrument), 201)
    _ok(await client.post("/v1/campaigns", json=plan), 201)
    _ok(await client.put(at, json=plan | {"name": "Winter"}))  # a draft: nothing is published
    _ok(await client.post(f"{at}/start"))
    _ok(await client.post(f"{at}/start"))
    _ok(await client.put(f"/v1/instruments/{instrument['instrument_id']}", json=edited))
    _ok(await client.put(f"/v1/instruments/{instrument['instrument_id']}", json=edited))
    _ok(await client.put(at, json=plan | {"priority": 7}))
    _ok(await client.post(f"{at}/pause"))
    _ok(await client.post(f"{at}/start"))
    _ok(await client.post(f"{at}/finish"))
    assert _fields(await client.post(f"{at}/start"), 409) == ["status"]
    assert _fields(await client.put(at, json=plan), 409) == ["status"]
    versions = await _published(emission_stack, topics.CAMPAIGNS, plan["campaign_id"])
    assert [
        (c.version, c.name, c.status, c.priority, c.instruments[0].benefit.percent)
        for _, c in versions
    ] == [
        (1, "Winter", "running", 0, 1000),
        (2, "Winter", "running", 0, 2000),
        (3, "December", "running", 7, 2000),
        (4, "December", "paused", 7, 2000),
        (5, "December", "running", 7, 2000),
        (6, "December", "finished", 7, 2000),
    ]


async def test_changes_at_once_leave_in_the_order_of_their_versions(
    client: httpx.AsyncClient, emission_stack: Stack
) -> None:
    instrument = _instrument()
    plan = _plan(instrument)
    at = f"/v1/campaigns/{plan['campaign_id']}"
    _ok(await client.post("/v1/instruments", json=instrument), 201)
    _ok(await client.post("/v1/campaigns", json=plan), 201)
    _ok(await client.post(f"{at}/start"))
    await asyncio.gather(
        *(client.put(at, json=plan | {"priority": priority}) for priority in range(1, 21))
    )
    versions = await _published(emission_stack, topics.CAMPAIGNS, plan["campaign_id"])
    assert [campaign.version for _, campaign in versions] == list(range(1, 22))


async def test_the_same_again_is_the_same_and_another_body_is_a_conflict(
    client: httpx.AsyncClient,
) -> None:
    emission, instrument = _mass(_word()), _instrument()
    for path, body, other, field in (
        ("emissions", emission, emission | {"word": _word()}, "emission_id"),
        ("instruments", instrument, instrument | {"name": "other"}, "instrument_id"),
        ("campaigns", _plan(instrument), {"name": "other"}, "campaign_id"),
    ):
        _ok(await client.post(f"/v1/{path}", json=body), 201)
        again = _ok(await client.post(f"/v1/{path}", json=body), 200)
        assert again[field] == body[field]
        assert _fields(await client.post(f"/v1/{path}", json=body | other), 409) == [field]


async def test_a_word_is_unique_among_live_emissions_however_it_is_written(
    client: httpx.AsyncClient,
) -> None:
    word = f"MAC{uuid4().hex[:8]}"
    _ok(await client.post("/v1/emissions", json=_mass(word)), 201)
    # Cyrillic look-alikes, other case, a hyphen.
    for same in (word.lower(), f"МАС-{word[3:]}"):
        assert _fields(await client.post("/v1/emissions", json=_mass(same)), 409) == ["word"]


async def test_the_word_of_an_emission_that_is_over_is_free_again(
    client: httpx.AsyncClient,
) -> None:
    word = _word()
    over = _mass(word, valid_until="2020-01-01T00:00:00Z")
    _ok(await client.post("/v1/emissions", json=over), 201)
    _ok(await client.post("/v1/emissions", json=_mass(word)), 201)
    assert _fields(await client.post("/v1/emissions", json=_mass(word)), 409) == ["word"]


async def test_unknown_references_are_named(client: httpx.AsyncClient) -> None:
    instrument = _instrument("no-such-emission")
    assert _fields(await client.post("/v1/instruments", json=instrument), 422) == [
        "conditions.1.emission_id"
    ]
    plan = _plan(instrument, stores=["nowhere"], customer_groups=["nobody"], time_zone="Mars/Base")
    assert _fields(await client.post("/v1/campaigns", json=plan), 422) == [
        "stores.0",
        "customer_groups.0",
        "instruments.0",
        "time_zone",
    ]
    zone = {"stores": [_store(), _store(time_zone="Mars/Base")]}
    assert _fields(await client.put("/v1/stores", json=zone), 422) == ["stores.1.time_zone"]
    for path in ("emissions", "instruments", "campaigns", "customer-groups"):
        assert (await client.get(f"/v1/{path}/none")).status_code == 404
    for call in ("emissions/none/post", "campaigns/none/start"):
        assert (await client.post(f"/v1/{call}")).status_code == 404


async def test_only_stores_that_changed_are_published(
    client: httpx.AsyncClient, emission_stack: Stack
) -> None:
    one, other = _store(), _store()
    assert _ok(await client.put("/v1/stores", json={"stores": [one, other]}))["changed"] == 2
    moved = one | {"region": "South"}
    assert _ok(await client.put("/v1/stores", json={"stores": [moved, other]}))["changed"] == 1
    published = await _published(emission_stack, topics.STORES, one["store_id"])
    assert [store.region for _, store in published] == ["North", "South"]
    assert len(await _published(emission_stack, topics.STORES, other["store_id"])) == 1


async def test_customers_are_published_with_all_their_groups(
    client: httpx.AsyncClient, emission_stack: Stack
) -> None:
    first, second = sorted((_id("g"), _id("g")))
    ann, ben = _id("a"), _id("b")

    async def put(group_id: str, *customers: str) -> int:
        body = {"name": "Group", "customers": customers}
        answer = _ok(await client.put(f"/v1/customer-groups/{group_id}", json=body))
        return int(answer["changed"])

    assert await put(first, ann, ben) == 2
    assert await put(second, ann) == 1
    assert await put(second, ann) == 0
    assert await put(first, ben) == 1
    published = await _published(emission_stack, topics.CUSTOMERS, ann)
    assert [customer.groups for _, customer in published] == [
        (first,),
        (first, second),
        (second,),
    ]
    assert len(await _published(emission_stack, topics.CUSTOMERS, ben)) == 1
    view = _ok(await client.get(f"/v1/customer-groups/{first}"))
    assert view["customers"] == [ben]


async def test_groups_changed_at_once_leave_a_customer_with_all_of_them(
    client: httpx.AsyncClient, emission_stack: Stack
) -> None:
    ann, groups = _id("a"), sorted(_id("g") for _ in range(10))
    body = {"name": "Group", "customers": [ann]}
    await asyncio.gather(*(client.put(f"/v1/customer-groups/{g}", json=body) for g in groups))
    published = await _published(emission_stack, topics.CUSTOMERS, ann)
    assert published[-1][1].groups == tuple(groups)


async def test_a_key_is_exchanged_for_a_token_until_it_is_revoked(
    client: httpx.AsyncClient, emission_stack: Stack
) -> None:
    new = {"name": "till", "scopes": ["campaigns:read"]}
    made = _ok(await client.post("/v1/api-keys", json=new), 201)
    exchange = {"api_key": made["api_key"]}
    token = _ok(await client.post("/v1/tokens", json=exchange))
    assert token["scopes"] == ["campaigns:read"]
    bearer = {"Authorization": f"Bearer {token['token']}"}
    assert (await client.get("/v1/campaigns", headers=bearer)).status_code == 200
    assert (await client.get("/v1/api-keys", headers=bearer)).status_code == 403
    assert made["api_key"] not in (await client.get("/v1/api-keys")).text
    for wrong in (made["api_key"] + "x", f"ts_none_{'x' * 40}", "nonsense"):
        answer = await client.post("/v1/tokens", json={"api_key": wrong})
        assert _fields(answer, 401) == ["api_key"]
    assert (await client.delete(f"/v1/api-keys/{made['key_id']}")).status_code == 204
    assert (await client.post("/v1/tokens", json=exchange)).status_code == 401
    admin = {"api_key": emission_stack.secrets.admin_key}
    assert _ok(await client.post("/v1/tokens", json=admin))["scopes"] == sorted(SCOPES)


async def test_lists_come_in_pages(client: httpx.AsyncClient) -> None:
    made = [_instrument() for _ in range(5)]
    for one in made:
        _ok(await client.post("/v1/instruments", json=one), 201)
    seen, after = [], ""
    while after is not None:
        page = _ok(await client.get("/v1/instruments", params={"limit": 2, "after": after}))
        seen += [one["instrument_id"] for one in page["items"]]
        after = page["next"]
    assert seen == sorted(seen)
    assert {one["instrument_id"] for one in made} <= set(seen)


async def _export(client: httpx.AsyncClient, emission_id: str) -> list[str]:
    answer = await client.get(f"/v1/emissions/{emission_id}/codes")
    assert answer.headers["content-type"].startswith("text/csv")
    head, *codes = answer.text.split()
    assert head == "code"
    return codes


async def test_posting_goes_on_after_a_kill_without_losing_or_doubling_a_code(
    client: httpx.AsyncClient, emission_stack: Stack
) -> None:
    count, kills = 150_000, 2
    emission_id = _id("e")
    body = {"emission_id": emission_id, "name": "Many", "kind": "personal", "count": count}
    _ok(await client.post("/v1/emissions", json=body | {"pattern": "MANY-########"}), 201)
    assert (await client.get(f"/v1/emissions/{emission_id}/codes")).status_code == 409
    _ok(await client.post(f"/v1/emissions/{emission_id}/post"), 202)
    connection = await asyncpg.connect(emission_stack.database("emission"))

    async def codes_posted() -> int:
        return int(
            await connection.fetchval(
                "select posted_codes from emissions where emission_id = $1", emission_id
            )
        )

    for _ in range(kills):
        before = await codes_posted()

        async def goes_on(before: int = before) -> bool:
            return await codes_posted() > before

        await _until(goes_on)
        assert await codes_posted() < count, "posted before it could be killed: raise the count"
        pid = emission_stack.pid("emission")
        os.kill(pid, signal.SIGKILL)

        async def restarted(pid: int = pid) -> bool:
            return emission_stack.ready("emission") and emission_stack.pid("emission") != pid

        await _until(restarted)
    await _posted(client, emission_id)

    contents: dict[str, set[str]] = defaultdict(set)
    digests: list[bytes] = []
    for event_id, chunk in await _published(emission_stack, topics.CODES, emission_id):
        if chunk.digests not in contents[event_id]:
            digests += unpack(chunk.digests)
        contents[event_id].add(chunk.digests)
    assert len(contents) == count // 1_000
    assert {len(different) for different in contents.values()} == {1}
    codes = await _export(client, emission_id)
    key = bytes.fromhex(emission_stack.secrets.code_key)
    assert len(codes) == len(set(codes)) == len(digests) == count
    assert {digest(code, key) for code in codes} == set(digests)
    kept = await connection.fetchval(
        "select count(*) from codes join emissions on emission = number where emission_id = $1",
        emission_id,
    )
    assert kept == count
    leaked = await connection.fetchval(
        "select count(*) from code_chunks where position($1 in ciphertext) > 0",
        codes[0][:9].encode(),
    )
    assert leaked == 0
    await connection.close()
