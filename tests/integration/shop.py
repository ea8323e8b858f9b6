"""A shop for tests: it authors over emission's API, and its tills speak Kafka."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.structs import ConsumerRecord

from deploy.local.stack import Stack
from shared import clock
from shared.codec import cloud_event_headers, decode, encode
from shared.events.checkout import Cart, GivenBenefit, Return, Sale, SoldLine
from shared.events.outcome import Decision
from shared.events.promotion import Campaign
from shared.topics import (
    CARTS,
    DECISIONS,
    MAX_MESSAGE_BYTES,
    SALES,
    Topic,
    terminal_key,
)
from shared.web.auth import SCOPES, sign
from tests.builders import cart, line
from tests.integration import emission
from tests.waiting import until

CURRENCY = "UAH"


@asynccontextmanager
async def client(stack: Stack, service: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a service with every scope."""
    token = sign(stack.secrets.signing_key, "tests", SCOPES, timedelta(hours=1), clock.now())
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(
        base_url=stack.url(service), headers=headers, timeout=30, trust_env=False
    ) as opened:
        yield opened


@dataclass
class Tills:
    """Tills of one shop: they send carts, await decisions and register them as sales."""

    stack: Stack
    producer: AIOKafkaProducer
    decisions: dict[str, list[Decision]] = field(default_factory=dict)
    _arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def read(self, reader: AIOKafkaConsumer) -> None:
        """Take decisions in until cancelled."""
        async for record in reader:
            decision = decode(Decision, record.value, ignore_unknown=True)
            async with self._arrived:
                self.decisions.setdefault(decision.receipt_id, []).append(decision)
                self._arrived.notify_all()

    async def send(self, event: Cart | Sale | Return, event_id: str | None = None) -> str:
        """Publish a cart, a sale or a return as a till does; returns its event id."""
        topic = CARTS if isinstance(event, Cart) else SALES
        event_id = event_id or str(uuid4())
        await self.send_raw(topic, encode(event), event_id, event.store_id, event.terminal_id)
        return event_id

    async def send_raw(
        self,
        topic: Topic,
        body: bytes,
        event_id: str | None,
        store_id: str = "s",
        terminal_id: str = "t",
        more: Sequence[tuple[str, bytes | None]] = (),
    ) -> ConsumerRecord:
        """Publish any bytes, with any headers behind the usual ones."""
        usual = cloud_event_headers(event_id or "", topic.event_type, "test/till", clock.now())
        headers = [*usual, *more]
        return await self.producer.send_and_wait(
            topic.name, body, key=terminal_key(store_id, terminal_id), headers=headers
        )

    async def decision(self, receipt_id: str, *, number: int = 1, within_s: float = 60) -> Decision:
        """The ``number``-th decision on a receipt."""
        async with self._arrived:
            await asyncio.wait_for(
                self._arrived.wait_for(lambda: len(self.decisions.get(receipt_id, ())) >= number),
                within_s,
            )
        return self.decisions[receipt_id][number - 1]

    async def ask(self, event: Cart) -> Decision:
        """Send a cart and await its decision; a till that hears nothing asks again."""
        before = len(self.decisions.get(event.receipt_id, ()))
        event_id = await self.send(event)
        for _ in range(6):
            try:
                return await self.decision(event.receipt_id, number=before + 1, within_s=20)
            except TimeoutError:
                await self.send(event, event_id)
        return await self.decision(event.receipt_id, number=before + 1)

    async def buy(self, event: Cart) -> Decision:
        """The closed loop: cart, decision, sale."""
        decision = await self.ask(event)
        await self.send(sale_of(event, decision))
        return decision


def sale_of(asked: Cart, decision: Decision) -> Sale:
    """The sale that registers a decision to the letter."""
    discounts = {x.line: x.discount for x in decision.lines}
    return Sale(
        **asked.model_dump(
            exclude={"lines", "intent", "payment_methods", "price_groups", "pay_bonuses"}
        ),
        decision_id=decision.decision_id,
        lines=tuple(SoldLine(**dict(x), discount=discounts.get(x.line, 0)) for x in asked.lines),
        given=tuple(
            GivenBenefit(
                campaign_id=a.campaign_id,
                instrument_id=a.instrument_id,
                discount=a.discount,
                gifts=a.gifts,
            )
            for a in decision.applied
            if a.discount or a.gifts
        ),
    )


@asynccontextmanager
async def open_tills(stack: Stack, **options: Any) -> AsyncIterator[Tills]:
    """Tills with a reader of all decisions from now on; ``options`` are their producer's."""
    reader = AIOKafkaConsumer(bootstrap_servers=stack.kafka, auto_offset_reset="latest")
    producer = AIOKafkaProducer(
        bootstrap_servers=stack.kafka,
        enable_idempotence=True,
        linger_ms=2,
        max_request_size=2 * MAX_MESSAGE_BYTES,
        **options,
    )
    async with reader, producer:
        partitions = [TopicPartition(DECISIONS.name, n) for n in range(DECISIONS.partitions)]
        reader.assign(partitions)
        for partition in partitions:
            await reader.position(partition)
        tills = Tills(stack, producer)
        reading = asyncio.create_task(tills.read(reader))
        try:
            yield tills
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)


async def open_store(stack: Stack, count: int = 1) -> list[str]:
    """Author new stores."""
    stores = [emission.a_store(currency=CURRENCY) for _ in range(count)]
    async with client(stack, "emission") as author:
        emission.ok(await author.put("/v1/stores", json={"stores": stores}))
    ids = [store["store_id"] for store in stores]
    evaluator = await asyncpg.connect(stack.database("evaluator"))
    try:

        async def known() -> bool:
            query = "select count(*) from stores where store_id = any($1)"
            return bool(await evaluator.fetchval(query, ids) == count)

        await until(known, what="the evaluator knows the stores")
    finally:
        await evaluator.close()
    return ids


async def run_campaign(stack: Stack, instruments: Sequence[dict[str, Any]], **fields: Any) -> str:
    """Author a campaign of these instruments, start it, and wait until the evaluator has it."""
    today = clock.now().date()
    plan = emission.plan_of(
        *instruments,
        first_day=str(today - timedelta(days=30)),
        last_day=str(today + timedelta(days=30)),
        **fields,
    )
    campaign_id: str = plan["campaign_id"]
    async with client(stack, "emission") as author:
        for instrument in instruments:
            emission.ok(await author.post("/v1/instruments", json=instrument), 201)
        emission.ok(await author.post("/v1/campaigns", json=plan), 201)
        emission.ok(await author.post(f"/v1/campaigns/{campaign_id}/start"))
    await until_decided_by(stack, campaign_id)
    return campaign_id


async def until_decided_by(stack: Stack, campaign_id: str) -> None:
    """Wait until the evaluator has the campaign and the codes it needs."""
    evaluator = await asyncpg.connect(stack.database("evaluator"))

    async def there() -> bool:
        definition = await evaluator.fetchval(
            "select definition from campaigns where campaign_id = $1", campaign_id
        )
        if definition is None:
            return False
        rows = await evaluator.fetch("select emission_id, codes_held from emissions")
        held = {row["emission_id"]: row["codes_held"] for row in rows}
        needed = _needed_codes(definition)
        return all(held.get(emission_id, 0) >= count for emission_id, count in needed)

    try:
        await until(there, what=f"the evaluator runs {campaign_id}")
    finally:
        await evaluator.close()


def _needed_codes(definition: bytes) -> Iterable[tuple[str, int]]:
    """The emissions of a campaign with the codes they had posted."""
    for summary in decode(Campaign, definition, ignore_unknown=True).emissions:
        yield summary.emission_id, summary.posted_codes


async def post_word(stack: Stack, word: str) -> str:
    """Author and post a mass emission; returns its id."""
    body = emission.mass(word)
    async with client(stack, "emission") as author:
        emission.ok(await author.post("/v1/emissions", json=body), 201)
        await emission.post(author, body["emission_id"])
    emission_id: str = body["emission_id"]
    return emission_id


def a_cart(store_id: str, amount: int, number: int = 0, **values: Any) -> Cart:
    """A cart of one line, now, on one of the store's twenty tills."""
    defaults = {
        "receipt_id": f"r-{uuid4().hex}",
        "terminal_id": f"t{number % 20}",
        "occurred_at": clock.now(),
        "currency": CURRENCY,
    }
    return cart([line(amount=amount)], store_id=store_id, **{**defaults, **values})
