"""Closed-loop tills: cart → decision → sale, each terminal in order of time, over Kafka.

Hundreds of tills run as tasks of one process and share a producer and a reader of decisions.
A till owns terminals and has one receipt open at a time: the sale is sent before the next cart.
Returns are sent when all tills have sold everything, so that the cap is given to whom it would be without
them: who qualified first.
"""

import asyncio
import heapq
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import msgspec
import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from deploy.demo.dataset import Basket
from deploy.demo.receipts import Decision, Opened, Opening, Returned, return_of, sale_of
from shared.codec import cloud_event_headers
from shared.topics import CARTS, DECISIONS, SALES, Topic

TILLS = 400
_SOURCE = "demo/tills"
_ANSWER_WITHIN_S = 90.0
_POLL_MS = 200


class NoAnswerError(RuntimeError):
    """A cart got no decision in time: the evaluator is down or stuck."""


@dataclass
class Tally:
    """What the tills themselves counted; money in cents, bonuses in points.

    ``decisions``, ``decided_discount`` and ``bonuses`` are counted where decisions are read, the rest
    where carts, sales and returns are sent; ``given`` is by (campaign, instrument), as registered in
    sales, ``lost`` of it are those whose whole sale came back.
    """

    carts: int = 0
    decisions: int = 0
    sales: int = 0
    discount: int = 0
    decided_discount: int = 0
    bonuses: int = 0
    paid: int = 0
    qualifying: int = 0
    returns: int = 0
    refunded: int = 0
    discount_back: int = 0
    given: Counter[tuple[str, str]] = field(default_factory=Counter)
    given_discount: Counter[tuple[str, str]] = field(default_factory=Counter)
    lost: Counter[tuple[str, str]] = field(default_factory=Counter)


class Decisions:
    """One reader of ``promo.decisions.v1`` for all tills; hands each decision to its receipt."""

    def __init__(self, kafka: str, tally: Tally) -> None:
        self._tally = tally
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=kafka,
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="latest",
            max_partition_fetch_bytes=4 * 1024 * 1024,
        )
        self._decoder = msgspec.json.Decoder(Decision)
        self._waiting: dict[str, asyncio.Future[Decision]] = {}

    async def __aenter__(self) -> Self:
        await self._consumer.start()
        partitions = [TopicPartition(DECISIONS.name, n) for n in range(DECISIONS.partitions)]
        self._consumer.assign(partitions)
        await self._consumer.seek_to_end(*partitions)
        for partition in partitions:  # the ends must be known before the first cart is sent
            await self._consumer.position(partition)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._consumer.stop()

    async def run(self) -> None:
        """Read until cancelled."""
        while True:
            batches = await self._consumer.getmany(timeout_ms=_POLL_MS)
            for records in batches.values():
                for record in records:
                    self.hand_out(self._decoder.decode(record.value))

    def hand_out(self, decision: Decision) -> None:
        """Count a decision that a till waits for; a relay may send one twice."""
        waiting = self._waiting.pop(decision.receipt_id, None)
        if waiting is None:
            return
        self._tally.decisions += 1
        self._tally.decided_discount += decision.discount
        self._tally.bonuses += decision.bonuses
        if not waiting.done():
            waiting.set_result(decision)

    def expect(self, receipt_id: str) -> asyncio.Future[Decision]:
        """The decision to come for a receipt; ask before sending its cart."""
        future = asyncio.get_running_loop().create_future()
        self._waiting[receipt_id] = future
        return future


def share_out(baskets: Sequence[Basket], opening: Opening, tills: int) -> list[list[Basket]]:
    """The baskets of each till, in order of time: whole terminals, the largest dealt out first."""
    terminals: dict[tuple[int, str], list[int]] = defaultdict(list)
    for position, basket in enumerate(baskets):
        terminals[opening.terminal_of(basket)].append(position)
    loads: list[tuple[int, int]] = [(0, till) for till in range(tills)]
    shares: list[list[int]] = [[] for _ in range(tills)]
    for _, positions in sorted(terminals.items(), key=lambda item: (-len(item[1]), item[0])):
        load, till = heapq.heappop(loads)
        shares[till].extend(positions)
        heapq.heappush(loads, (load + len(positions), till))
    return [[baskets[position] for position in sorted(share)] for share in shares if share]


class Shop:
    """The tills of a replay; ``tally`` is theirs alone, nothing in it is read from the services."""

    def __init__(self, kafka: str, opening: Opening) -> None:
        self.tally = Tally()
        self._opening = opening
        self._kafka = kafka
        self._failures: list[BaseException] = []
        self._returns: list[Returned] = []

    async def replay(self, baskets: Sequence[Basket], tills: int = TILLS) -> None:
        """Replay all baskets.

        Raises an exception group of what ended tills: ``NoAnswerError``, or Kafka's errors.
        """
        self._producer = AIOKafkaProducer(
            bootstrap_servers=self._kafka,
            linger_ms=5,
            max_batch_size=256 * 1024,
            enable_idempotence=True,
        )
        shares = share_out(baskets, self._opening, tills)
        async with (
            Decisions(self._kafka, self.tally) as decisions,
            self._producer,
            asyncio.TaskGroup() as group,
        ):
            reader = group.create_task(decisions.run())
            running = [group.create_task(self._till(share, decisions)) for share in shares]
            await asyncio.gather(*running)
            for back in self._returns:
                await self._take_back(back)
            await self._producer.flush()
            reader.cancel()
        if self._failures:
            message = "messages that Kafka did not take"
            raise BaseExceptionGroup(message, self._failures)

    async def _till(self, baskets: Sequence[Basket], decisions: Decisions) -> None:
        for basket in baskets:
            await self._receipt(self._opening.open(basket), decisions)

    async def _receipt(self, opened: Opened, decisions: Decisions) -> None:
        answer = decisions.expect(opened.receipt_id)
        await self._send(CARTS, opened, opened.body(), f"cart-{opened.receipt_id}")
        self.tally.carts += 1
        try:
            decision = await asyncio.wait_for(answer, _ANSWER_WITHIN_S)
        except TimeoutError:
            message = f"no decision for {opened.receipt_id} within {_ANSWER_WITHIN_S:.0f} s"
            raise NoAnswerError(message) from None
        sale = sale_of(opened, decision)
        await self._send(SALES, opened, orjson.dumps(sale), f"sale-{opened.receipt_id}")
        self._count_sale(opened, decision, sale)
        back = return_of(opened, decision, sale)
        if back is not None:
            self._returns.append(back)

    async def _take_back(self, back: Returned) -> None:
        event_id = f"return-{back.body['receipt_id']}"
        await self._send(SALES, back, orjson.dumps(back.body), event_id)
        self.tally.returns += 1
        self.tally.refunded += back.refund
        self.tally.discount_back += back.discount
        for applied in back.applied:
            self.tally.lost[applied.campaign_id, applied.instrument_id] += 1

    async def _send(
        self, topic: Topic, what: Opened | Returned, body: bytes, event_id: str
    ) -> None:
        headers = cloud_event_headers(event_id, topic.event_type, _SOURCE, what.occurred_at)
        sent = await self._producer.send(topic.name, value=body, key=what.key, headers=headers)
        sent.add_done_callback(self._acknowledged)

    def _acknowledged(self, sent: "asyncio.Future[Any]") -> None:
        error = sent.exception()
        if error is not None:
            self._failures.append(error)

    def _count_sale(self, opened: Opened, decision: Decision, sale: dict[str, Any]) -> None:
        tally = self.tally
        tally.sales += 1
        tally.discount += sum(line["discount"] for line in sale["lines"])
        tally.paid += sale["payments"][0]["amount"]
        tally.qualifying += opened.qualifies
        for applied in decision.applied:
            key = applied.campaign_id, applied.instrument_id
            tally.given[key] += 1
            if applied.discount:
                tally.given_discount[key] += applied.discount
