"""Posting against real servers, and when emission is killed meanwhile."""

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
from tests.integration.emission import (
    mass,
    new_id,
    new_word,
    ok,
    post,
    published,
)
from tests.waiting import until


async def _export(client: httpx.AsyncClient, emission_id: str) -> list[str]:
    answer = await client.get(f"/v1/emissions/{emission_id}/codes")
    assert answer.headers["content-type"].startswith("text/csv")
    head, *codes = answer.text.split()
    assert head == "code"
    return codes


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

        await until(goes_on)
        assert await codes_posted() < count, "posted before it could be killed: raise the count"
        pid = stack.pid("emission")
        os.kill(pid, signal.SIGKILL)

        async def restarted(pid: int = pid) -> bool:
            return stack.ready("emission") and stack.pid("emission") != pid

        await until(restarted, within_s=90)
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
    codes = await _export(client, emission_id)
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
