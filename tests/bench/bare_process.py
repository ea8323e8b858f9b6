"""A bare aiokafka loop that reads a topic and does nothing: what a consumer in Python can reach.

``python -m tests.bench.bare_process <kafka> <topic> <seconds>`` prints records per second. The event
loop, the garbage collector and the sizes of fetches are set as the service sets them.
"""

import sys

import uvloop
from aiokafka import AIOKafkaConsumer

from services.analytics.stream import MOST_RECORDS
from shared import clock
from shared.garbage import collect_less


async def run(kafka: str, topic: str, seconds: float) -> float:
    """Records per second, from the first batch on, for ``seconds`` or to the end of the topic."""
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=kafka,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=4 * 1024 * 1024,
    )
    await consumer.start()
    collect_less()
    try:
        await consumer.getmany(timeout_ms=10_000, max_records=MOST_RECORDS)
        started = last = clock.monotonic()
        count = 0
        while last - started < seconds:
            batch = await consumer.getmany(timeout_ms=500, max_records=MOST_RECORDS)
            if not batch:
                break
            count += sum(map(len, batch.values()))
            last = clock.monotonic()
        return count / (last - started)
    finally:
        await consumer.stop()


if __name__ == "__main__":
    print(uvloop.run(run(sys.argv[1], sys.argv[2], float(sys.argv[3]))))  # noqa: T201
