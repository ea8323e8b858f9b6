"""Sends receipts at a steady rate, as the evaluator's relay does: a process of its own for ``tests.bench.freshness``.

``python -m tests.bench.paced_receipts_process <kafka> <per second> <seconds>``. Prints a line of JSON at the end:
when (seconds since 1970) how many had been sent, for each hundredth of a second.
"""

import asyncio
import json
import sys
import zlib
from uuid import uuid4

from aiokafka import AIOKafkaProducer

from shared import clock, topics
from shared.codec import cloud_event_headers, encode
from shared.events.outcome import Receipt, ReceiptRedemption, RecordedLine
from shared.events.values import Currency, Device
from shared.outbox import NUMBER_HEADER, PRODUCER_HEADER

_TURN_SECONDS = 0.01
_STORES = 100
_DEVICES: tuple[Device, ...] = ("till", "till", "till", "mobile", "app")
_TOPIC = topics.RECEIPTS


def receipt(number: int) -> Receipt:
    """A receipt of now; every third had a promotion."""
    now = clock.now()
    store, total = number % _STORES, 1_000 + number % 700
    used = number % 3 == 0
    redemption = ReceiptRedemption(
        redemption_id=f"redemption-{number}",
        campaign_id=f"campaign-{number % 10}",
        instrument_id=f"instrument-{number % 10}",
        status="committed",
        discount=100,
        bonuses=0,
    )
    return Receipt(
        receipt_id=f"receipt-{number}",
        store_id=f"store-{store}",
        terminal_id=f"till-{number % 4}",
        region=f"region-{store % 10}",
        channel="till",
        device=_DEVICES[store % len(_DEVICES)],
        occurred_at=now,
        recorded_at=now,
        currency=Currency("EUR"),
        total=total,
        discount=100 * used,
        paid=total - 100 * used,
        bonuses=0,
        lines=(RecordedLine(line=1, sku="a", quantity=1_000, amount=total, discount=100 * used),),
        redemptions=(redemption,) if used else (),
    )


async def send(kafka: str, per_second: int, seconds: float) -> list[tuple[float, int]]:
    """When how many had been sent."""
    relay = str(uuid4()).encode()
    sent: list[tuple[float, int]] = []
    number = 0
    async with AIOKafkaProducer(bootstrap_servers=kafka, linger_ms=0) as producer:
        begun = clock.monotonic()
        while (passed := clock.monotonic() - begun) < seconds:
            while number < per_second * passed:
                number += 1
                event = receipt(number)
                key = topics.terminal_key(event.store_id, event.terminal_id)
                headers = [
                    *cloud_event_headers(
                        event.receipt_id, _TOPIC.event_type, "evaluator", event.recorded_at
                    ),
                    (PRODUCER_HEADER, relay),
                    (NUMBER_HEADER, b"%d" % number),
                ]
                await producer.send(
                    _TOPIC.name,
                    encode(event),
                    key=key,
                    headers=headers,
                    partition=zlib.crc32(key) % _TOPIC.partitions,
                )
            sent.append((clock.now().timestamp(), number))
            await asyncio.sleep(_TURN_SECONDS)
        await producer.flush()
    return sent


if __name__ == "__main__":
    _, kafka, per_second, seconds = sys.argv
    sys.stdout.write(json.dumps(asyncio.run(send(kafka, int(per_second), float(seconds)))))
