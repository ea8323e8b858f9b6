"""One hot limit on a database of its own, and tills that redeem on it: for benches of the counter."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import lru_cache
from uuid import uuid4

from services.evaluator.desk import Brought, Desk
from services.evaluator.facts import Gatherer, incoming
from services.evaluator.requests import Reply, Request, Requests
from services.evaluator.rulesets import Rulesets
from services.evaluator.sale import decode_sale
from services.evaluator.store import reference as reference_store
from shared import clock
from shared.codec import encode
from shared.database import Connection
from tests.builders import CODE_KEY, campaign, chunk, code, given, instrument, sale, sold_line

LIMIT = "campaign-1/instrument-1/code"
_AMOUNT, _DISCOUNT = 10_000, 1_000
_RECEIPT, _TILL = "THE-RECEIPT", "THE-TILL"


async def open_limit(connection: Connection, cap: int) -> None:
    """A store, and 10% off with WELCOME for the first ``cap`` receipts."""
    now = clock.now()
    await connection.execute(
        "insert into stores (store_id, region, currency, time_zone)"
        " values ('store-1', 'West', 'EUR', 'UTC') on conflict do nothing"
    )
    await reference_store.save_codes(connection, [chunk("WELCOME", "WELCOME")])
    running = campaign(
        instruments=[instrument(conditions=[code("WELCOME", cap=cap)])],
        starts_at=now - timedelta(days=1),
        ends_at=now + timedelta(days=1),
    )
    await reference_store.save_campaigns(connection, {running.campaign_id: (1, encode(running))})


def requests() -> Requests[Brought]:
    """What applies requests, as in the service."""
    return Requests(Desk(Gatherer(Rulesets(), CODE_KEY, timedelta(minutes=15))))


def redemption(till: str) -> Request[Brought]:
    """A receipt of 100.00 with WELCOME, paid with its discount: one use of the limit, decided and committed."""
    body = redemption_body(till)
    event = decode_sale(body)
    return Request(incoming(event, event.receipt_id, body, waiting=True), None, b"")


def redemption_body(till: str) -> bytes:
    """What the till sends; tills are other machines, so that making it must cost next to nothing here."""
    named = _sale().replace(_RECEIPT.encode(), f"{till}-{uuid4().hex}".encode())
    return named.replace(_TILL.encode(), till.encode())


@lru_cache
def _sale() -> bytes:
    event = sale(
        [sold_line(amount=_AMOUNT, discount=_DISCOUNT)],
        [given(discount=_DISCOUNT)],
        codes=["WELCOME"],
        receipt_id=_RECEIPT,
        terminal_id=_TILL,
        occurred_at=clock.now(),
    )
    return encode(event)


Submit = Callable[[Request[Brought]], Awaitable[Reply]]


async def load(submit: Submit, callers: int, seconds: float) -> tuple[float, list[float]]:
    """Redemptions per second of so many callers, each waiting for its answer; and all latencies (s)."""
    latencies: list[float] = []
    started = clock.monotonic()
    until = started + seconds

    async def caller(number: int) -> None:
        for _ in itertools.count():
            begun = clock.monotonic()
            if begun >= until:
                return
            reply = await submit(redemption(f"till-{number}"))
            if reply.status != 200:
                raise RuntimeError(reply.body.decode())
            latencies.append(clock.monotonic() - begun)

    await asyncio.gather(*(caller(n) for n in range(callers)))
    return len(latencies) / (clock.monotonic() - started), latencies
