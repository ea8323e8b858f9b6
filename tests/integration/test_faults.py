"""kill -9 in mid-stream: evaluator, rollup consumer, Kafka. Everything reconciles exactly."""

import asyncio
import os
import signal
from collections.abc import Sequence

import asyncpg
import pytest

from deploy.local.stack import Stack
from shared.events.outcome import Decision
from tests.integration import emission, shop
from tests.integration.shop import Tills, a_cart, open_tills
from tests.waiting import until

RECEIPTS = 600
CAP = 200


@pytest.mark.slow
@pytest.mark.parametrize(
    "killed", [("evaluator",), ("analytics",), ("kafka",), ("postgres",)], ids="+".join
)
async def test_all_reconciles_after_a_kill_in_mid_stream(
    stack: Stack, killed: Sequence[str]
) -> None:
    [store_id] = await shop.open_store(stack)
    word = emission.new_word()
    emission_id = await shop.post_word(stack, word)
    instrument = emission.instrument_of(emission_id)
    instrument["conditions"][1]["cap"] = CAP
    campaign_id = await shop.run_campaign(stack, [instrument], stores=[store_id])
    async with open_tills(stack) as tills:
        buying = asyncio.gather(*(_buy(tills, store_id, word, n) for n in range(RECEIPTS)))
        for process in killed:
            await until(lambda: _answered(tills, RECEIPTS // 6), what="the stream has begun")
            assert len(tills.decisions) < RECEIPTS, "the kill is in the middle of the stream"
            await _kill(stack, process)
        decisions = await asyncio.wait_for(buying, 150)
    await until(lambda: _rolled_up(stack, store_id), within_s=90, what="all is rolled up")
    assert sum(decision.discount > 0 for decision in decisions) == CAP
    await _reconciles(stack, campaign_id, store_id, decisions)


async def _buy(tills: Tills, store_id: str, word: str, number: int) -> Decision:
    """One till after another: receipts of a till follow each other, tills run side by side."""
    await asyncio.sleep(0.005 * number)  # a stream, so that the kill is in its middle
    return await tills.buy(a_cart(store_id, 30_000 + number, number=number, codes=[word]))


async def _answered(tills: Tills, count: int) -> bool:
    return len(tills.decisions) >= count


async def _kill(stack: Stack, process: str) -> None:
    """SIGKILL; the supervisor starts it again."""
    before = stack.pid(process)
    os.kill(before, signal.SIGKILL)

    async def back() -> bool:
        return stack.ready(process, before)

    await until(back, within_s=90, what=f"{process} is back")


async def _rolled_up(stack: Stack, store_id: str) -> bool:
    try:
        analytics = await asyncpg.connect(stack.database("analytics"))
    except (OSError, asyncpg.PostgresError):
        return False  # PostgreSQL is still coming back
    query = "select coalesce(sum(receipts), 0) from receipt_minutes where store_id = $1"
    count = await analytics.fetchval(query, store_id)
    await analytics.close()
    return bool(count >= RECEIPTS)


async def _reconciles(
    stack: Stack, campaign_id: str, store_id: str, decisions: Sequence[Decision]
) -> None:
    decided = sum(decision.discount for decision in decisions)
    evaluator = await asyncpg.connect(stack.database("evaluator"))
    ledger = await evaluator.fetchrow(
        "select count(*) as n, sum(discount)::bigint as discount from redemptions"
        " where campaign_id = $1 and status = 'committed'",
        campaign_id,
    )
    limit = await evaluator.fetchrow(
        "select cap, held, used from limits where limit_id like $1", f"{campaign_id}/%"
    )
    paid = await evaluator.fetchval(
        "select count(*) from receipts where store_id = $1 and status = 'paid'", store_id
    )
    await evaluator.close()
    analytics = await asyncpg.connect(stack.database("analytics"))
    rollup = await analytics.fetchrow(
        "select sum(activations)::bigint as n, sum(discount)::bigint as discount"
        " from instrument_minutes where campaign_id = $1",
        campaign_id,
    )
    receipts = await analytics.fetchrow(
        "select sum(receipts)::bigint as n, sum(discount)::bigint as discount,"
        " sum(total)::bigint as total from receipt_minutes where store_id = $1",
        store_id,
    )
    await analytics.close()
    assert ledger is not None
    assert limit is not None
    assert rollup is not None
    assert receipts is not None
    assert tuple(ledger.values()) == (CAP, decided)
    assert tuple(limit.values()) == (CAP, 0, CAP)
    assert paid == RECEIPTS
    assert tuple(rollup.values()) == (CAP, decided)
    assert tuple(receipts.values()) == (RECEIPTS, decided, sum(d.total for d in decisions))
