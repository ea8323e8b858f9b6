"""How long it takes to post personal codes until Kafka has acknowledged the last of them.

    python -m tests.bench.posting [codes]

Runs Kafka, PostgreSQL and emission of its own. The last line is JSON: codes, seconds, codes_per_s.
"""

import asyncio
import json
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import asyncpg
import httpx

from deploy.local import stack as local
from deploy.local.stack import Stack
from shared import clock
from shared.web.auth import sign

_POLL_SECONDS = 0.1
_PATTERN = "SPRING-########"


async def post(stack: Stack, codes: int) -> float:
    """Seconds from the request to post ``codes`` until none of them is left in the outbox."""
    token = sign(
        stack.secrets.signing_key,
        "bench",
        ["campaigns:read", "campaigns:write"],
        timedelta(hours=1),
        clock.now(),
    )
    emission_id = f"bench-{uuid4().hex[:12]}"
    body = {"emission_id": emission_id, "name": "Bench", "kind": "personal", "count": codes}
    connection = await asyncpg.connect(stack.database("emission"))
    async with httpx.AsyncClient(
        base_url=stack.url("emission"), headers={"Authorization": f"Bearer {token}"}, timeout=30
    ) as client:
        (await client.post("/v1/emissions", json=body | {"pattern": _PATTERN})).raise_for_status()
        started = clock.monotonic()
        (await client.post(f"/v1/emissions/{emission_id}/post")).raise_for_status()
        while True:
            view = (await client.get(f"/v1/emissions/{emission_id}")).json()
            if view["status"] == "posted" and not await _waiting(connection):
                break
            await asyncio.sleep(_POLL_SECONDS)
        seconds = clock.monotonic() - started
    await connection.close()
    return seconds


async def _waiting(connection: "asyncpg.Connection[asyncpg.Record]") -> bool:
    """Whether chunks are not yet acknowledged: the relay deletes what is."""
    return bool(await connection.fetchval("select exists(select from outbox)"))


def main() -> None:
    """Measure and print."""
    codes = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory(prefix="tillstream-bench-") as directory:
        state = Path(directory)
        try:
            stack = local.up(state, ["kafka", "postgres", "emission"])
            seconds = asyncio.run(post(stack, codes))
        finally:
            local.down(state, delete=True)
    figures = {"codes": codes, "seconds": round(seconds, 2), "codes_per_s": round(codes / seconds)}
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
