"""Posting against real servers, and when emission is killed meanwhile."""

import csv
import os
import secrets
import signal
from collections import defaultdict
from collections.abc import Iterator
from itertools import chain, count
from typing import Any

import asyncpg
import httpx

from deploy.local.stack import Stack
from services.emission.cipher import CodeCipher
from services.emission.codes import NewEmission
from services.emission.posting import Poster
from services.emission.store.emissions import EmissionRow
from shared import clock, database, topics
from shared.codes import digest, unpack
from shared.database import Connection
from tests.integration.emission import (
    faulty_fields,
    mass,
    new_id,
    new_word,
    ok,
    post,
    published,
)
from tests.waiting import until


async def _export(
    client: httpx.AsyncClient, emission_id: str, columns: str = "code"
) -> list[list[str]]:
    answer = await client.get(f"/v1/emissions/{emission_id}/codes")
    assert answer.headers["content-type"].startswith("text/csv")
    head, *rows = csv.reader(answer.text.splitlines())
    assert head == columns.split(",")
    return rows


async def _codes_posted(connection: Connection, emission_id: str) -> int:
    return int(
        await connection.fetchval(
            "select posted_codes from emissions where emission_id = $1", emission_id
        )
    )


async def _kill_while_posting(
    stack: Stack, connection: Connection, emission_id: str, count: int
) -> None:
    """Kill emission once it has posted some more, but not all codes; wait for its restart."""
    before = await _codes_posted(connection, emission_id)

    async def goes_on() -> bool:
        return await _codes_posted(connection, emission_id) > before

    await until(goes_on)
    posted = await _codes_posted(connection, emission_id)
    assert posted < count, "posted before it could be killed: raise the count"
    pid = stack.pid("emission")
    os.kill(pid, signal.SIGKILL)

    async def restarted() -> bool:
        return stack.ready("emission") and stack.pid("emission") != pid

    await until(restarted, within_s=90)


async def test_posting_goes_on_after_a_kill_without_losing_or_doubling_a_code(
    client: httpx.AsyncClient, stack: Stack
) -> None:
    count, kills = 150_000, 2
    emission_id = new_id("e")
    body = {"emission_id": emission_id, "name": "Many", "kind": "personal", "count": count}
    ok(await client.post("/v1/emissions", json=body | {"pattern": "MANY-########"}), 201)
    assert (await client.get(f"/v1/emissions/{emission_id}/codes")).status_code == 409
    ok(await client.post(f"/v1/emissions/{emission_id}/post"), 202)
    connection = await asyncpg.connect(stack.database("emission"))
    for _ in range(kills):
        await _kill_while_posting(stack, connection, emission_id, count)
    await post(client, emission_id)

    contents: dict[str, set[str]] = defaultdict(set)
    digests: list[bytes] = []
    posted_at = set()
    for event_id, chunk in await published(stack, topics.CODES, emission_id):
        content = chunk.model_dump_json()
        if content not in contents[event_id]:
            digests += unpack(chunk.digests)
        contents[event_id].add(content)
        posted_at.add(chunk.posted_at)
    assert len(contents) == count // 1_000
    assert {len(different) for different in contents.values()} == {1}
    assert len(posted_at) == 1, "a posting that goes on says when it began, not when it goes on"
    codes = [code for (code,) in await _export(client, emission_id)]
    key = bytes.fromhex(stack.secrets.code_key)
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


async def test_bound_codes_stay_with_their_customers_through_a_kill(
    client: httpx.AsyncClient, stack: Stack
) -> None:
    """The event's holders, the export and what was asked for name the same customers in order."""
    bound, count = 5_500, 130_000
    prefix = new_id("a")
    customers = [f"{prefix}-{number}" for number in range(bound)]
    emission_id = new_id("e")
    body = {"emission_id": emission_id, "name": "Bound", "kind": "personal", "count": count}
    view = ok(await client.post("/v1/emissions", json=body | {"customers": customers}), 201)
    assert (view["bound"], view["count"]) == (bound, count)
    ok(await client.post(f"/v1/emissions/{emission_id}/post"), 202)
    connection = await asyncpg.connect(stack.database("emission"))
    await _kill_while_posting(stack, connection, emission_id, count)
    await connection.close()
    await post(client, emission_id)

    rows = await _export(client, emission_id, "code,customer_id")
    assert [customer_id for _, customer_id in rows] == customers + [""] * (count - bound)
    key = bytes.fromhex(stack.secrets.code_key)
    chunks = {chunk.chunk: chunk for _, chunk in await published(stack, topics.CODES, emission_id)}
    assert sorted(chunks) == list(range(1, count // 1_000 + 1))
    for number, chunk in chunks.items():
        of_chunk = rows[1_000 * (number - 1) : 1_000 * number]
        assert unpack(chunk.digests) == [digest(code, key) for code, _ in of_chunk]
        named = tuple(customer_id or None for _, customer_id in of_chunk)
        assert chunk.holders == (named if any(named) else ())
    assert chunks[6].holders[499:501] == (customers[-1], None)
    assert chunks[7].holders == ()


async def test_codes_for_customers_are_asked_for_once(client: httpx.AsyncClient) -> None:
    body: dict[str, Any] = {"emission_id": new_id("e"), "name": "Bound", "kind": "personal"}
    ann, ben = new_id("a"), new_id("b")
    ok(await client.post("/v1/emissions", json=body | {"customers": [ann, ben]}), 201)
    for same in ({"customers": [ann, ben]}, {"customers": [ann, ben], "count": 2}):
        view = ok(await client.post("/v1/emissions", json=body | same))
        assert (view["bound"], view["count"]) == (2, 2)
    others: tuple[dict[str, Any], ...] = (
        {"customers": [ann]},
        {"customers": [ann, new_id("c")]},
        {"customers": [ann, ben], "count": 3},
        {"count": 2},
    )
    for other in others:
        answer = await client.post("/v1/emissions", json=body | other)
        assert faulty_fields(answer, 409) == ["emission_id"]
    await post(client, body["emission_id"])
    ok(await client.post("/v1/emissions", json=body | {"customers": [ann, ben]}))
    rows = await _export(client, body["emission_id"], "code,customer_id")
    assert [customer_id for _, customer_id in rows] == [ann, ben]


async def test_an_emission_without_customers_has_none_bound(
    client: httpx.AsyncClient, stack: Stack
) -> None:
    body: dict[str, Any] = {
        "emission_id": new_id("e"),
        "name": "Free",
        "kind": "personal",
        "count": 3,
    }
    ok(await client.post("/v1/emissions", json=body), 201)
    await post(client, body["emission_id"])
    assert ok(await client.get(f"/v1/emissions/{body['emission_id']}"))["bound"] == 0
    assert [len(row) for row in await _export(client, body["emission_id"])] == [1, 1, 1]
    ((_, chunk),) = await published(stack, topics.CODES, body["emission_id"])
    assert chunk.holders == ()


async def test_two_hundred_thousand_customers_with_the_longest_ids_fit_a_request(
    client: httpx.AsyncClient,
) -> None:
    prefix = new_id("a").ljust(58, "x")
    customers = [f"{prefix}{number:06}" for number in range(200_000)]
    body: dict[str, Any] = {"emission_id": new_id("e"), "name": "Longest", "kind": "personal"}
    view = ok(await client.post("/v1/emissions", json=body | {"customers": customers}), 201)
    assert view["bound"] == 200_000
    doubled = [*customers[:-1], customers[0]]
    answer = await client.post("/v1/emissions", json=body | {"customers": doubled})
    assert faulty_fields(answer, 422) == ["customers.199999"]


async def test_customers_with_the_longest_ids_fit_a_chunk(
    client: httpx.AsyncClient, stack: Stack
) -> None:
    prefix = new_id("a").ljust(60, "x")
    customers = [f"{prefix}{number:04}" for number in range(2_500)]
    body: dict[str, Any] = {"emission_id": new_id("e"), "name": "Longest", "kind": "personal"}
    ok(await client.post("/v1/emissions", json=body | {"customers": customers}), 201)
    await post(client, body["emission_id"])
    chunks = [chunk for _, chunk in await published(stack, topics.CODES, body["emission_id"])]
    assert [who for chunk in chunks for who in chunk.holders] == customers


def _poster(pool: asyncpg.Pool, cipher: CodeCipher, key: bytes, rigged: Iterator[bytes]) -> Poster:
    return Poster(pool, cipher, key, random_bytes=lambda _: next(rigged))


async def test_a_code_that_another_emission_has_is_made_again(stack: Stack) -> None:
    same = [bytes(range(n, 200)) * 20 for n in range(5)]
    cipher, key = CodeCipher.of(stack.secrets.code_cipher_key), new_word().encode()

    def row(number: int) -> EmissionRow:
        asked = NewEmission(
            emission_id="e", name="E", kind="personal", count=100, pattern="########"
        )
        return EmissionRow(number, asked, "posting", 0, 0, clock.now())

    async with (
        await database.pool(stack.database("emission"), size=1) as pool,
        pool.acquire() as connection,
    ):
        transaction = connection.transaction()
        await transaction.start()
        made = []
        for number in (-1, -2):  # no emission has such a number, and none of this is committed
            rigged = chain(same, (secrets.token_bytes(4_000) for _ in count()))
            made.append(
                await _poster(pool, cipher, key, rigged)._codes(connection, row(number), 100)
            )
        claimed = await connection.fetchval("select count(*) from codes where emission < 0")
        await transaction.rollback()
    first, second = made
    assert len(first) == len(second) == 100
    assert not set(first) & set(second)
    assert claimed == 200


async def test_a_word_does_not_wait_for_a_large_emission(client: httpx.AsyncClient) -> None:
    large: dict[str, Any] = {
        "emission_id": new_id("e"),
        "name": "Large",
        "kind": "personal",
        "count": 300_000,
    }
    word = mass(new_word())
    for body in (large, word):
        ok(await client.post("/v1/emissions", json=body), 201)
    ok(await client.post(f"/v1/emissions/{large['emission_id']}/post"), 202)
    await post(client, word["emission_id"])
    view = ok(await client.get(f"/v1/emissions/{large['emission_id']}"))
    assert view["status"] == "posting"
    await post(client, large["emission_id"])
