"""The Faust app's work: the agent that applies facts, and what is done again and again."""

from datetime import timedelta

import asyncpg
import structlog

from services.customers import store
from services.customers.attention import Attention
from services.customers.cross_sell import search
from services.customers.cross_sell.search import Search
from services.customers.forecast.training import Training
from services.customers.fraud.keeping import Keeping
from services.customers.fraud.stream import Watch
from services.customers.log import Chore, Log
from services.customers.offers.planning import Planning
from services.customers.profile import KEPT_DAYS
from services.customers.regions import store as regions_store
from services.customers.segments import fifths
from services.customers.segments.fifths import Fifths
from services.customers.segments.passes import Passes
from services.customers.stream import CONSUMER, TOPICS, Stream
from shared import clock

_LOOK_SECONDS = 0.3
_LOOK_SECONDS_BEHIND = 3.0
"""A backlog has many purchases of the same customers: one look answers for all of them."""
_PLAN_SECONDS = 0.5
_FIRST_SECONDS = 30.0
_KEEP_SECONDS = 2.0
_ASKED_SECONDS = 1.0
_NIGHTLY = "30 2 * * *"

log = structlog.get_logger()


def facts(
    kafka: str,
    pool: asyncpg.Pool,
    attention: Attention,
    planning: Planning,
    training: Training,
    key: bytes,
    name: str = CONSUMER,
) -> Log:
    """The log of everything that customers do; ``key`` is of the hashes of those who were erased."""

    async def forget() -> None:
        async with pool.acquire() as connection:
            before = clock.now() - timedelta(days=KEPT_DAYS)
            log.info("old receipts forgotten", rows=await store.forget_receipts(connection, before))
            await regions_store.forget(connection, before.date())

    watch = Watch()
    keeping = Keeping(pool, watch)
    chores = (
        Chore(attention.look, every=_LOOK_SECONDS, behind=_LOOK_SECONDS_BEHIND),
        Chore(planning.run, every=_PLAN_SECONDS),
        Chore(planning.forget, at=_NIGHTLY),
        Chore(forget, at=_NIGHTLY),
        Chore(Passes(pool).go_on, every=_LOOK_SECONDS),
        Chore(Fifths(pool).begin, every=_FIRST_SECONDS),
        Chore(Fifths(pool).renew, at=fifths.NIGHTLY),
        Chore(Search(pool).begin, every=_FIRST_SECONDS),
        Chore(Search(pool).renew, at=search.NIGHTLY),
        Chore(keeping.look, every=_KEEP_SECONDS),
        Chore(keeping.forget, at=_NIGHTLY),
        Chore(training.run, every=_ASKED_SECONDS),
        Chore(training.watch, every=_FIRST_SECONDS),
        Chore(training.nightly, at=training.at),
    )
    return Log(name, TOPICS, kafka, pool, Stream(key, watch).apply, chores)
