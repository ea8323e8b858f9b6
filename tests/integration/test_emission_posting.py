"""Posting against real servers, and when emission is killed meanwhile."""

import os
import signal
from collections import defaultdict
from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest

from deploy.local.stack import Stack
from shared import topics
from shared.codes import digest, unpack
from tests.integration.emission import (
    author,
    new_id,
    ok,
    post,
    published,
)
from tests.waiting import until


@pytest.fixture
async def client(stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    """An author with every scope."""
    async with author(stack) as one:
        yield one


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
    for event_id, chunk in await published(stack, topics.CODES, emission_id):
        if chunk.digests not in contents[event_id]:
            digests += unpack(chunk.digests)
        contents[event_id].add(chunk.digests)
    assert len(contents) == count // 1_000
    assert {len(different) for different in contents.values()} == {1}
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
