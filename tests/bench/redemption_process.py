"""One of ten evaluators: ``python -m tests.bench.redemption_process <dsn> <number> <receipts>``."""

import asyncio
import sys

from services.evaluator.group_commit import GroupCommit
from shared import database
from tests.bench import counter

_AT_ONCE = 20
_WITHIN_S = 60.0


async def main(dsn: str, number: str, receipts: int) -> None:
    """Redeem by group commit, some at once."""
    async with await database.pool(dsn, size=2) as pool:
        group = GroupCommit(pool, counter.requests().apply)
        serving = asyncio.create_task(group.run())
        left = iter(range(receipts))

        async def till(name: str) -> None:
            for _ in left:
                await group.submit(counter.redemption(name), _WITHIN_S)

        await asyncio.gather(*(till(f"till-{number}-{n}") for n in range(_AT_ONCE)))
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
