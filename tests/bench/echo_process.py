"""A bare aiokafka loop that reads a topic and sends as many bytes back: what a service can reach.

``python -m tests.bench.echo_process <kafka> <from> <to> <bytes>``, until killed. It reads and sends in
batches, with an idempotent producer, as the evaluator's consumer and relay do.
"""

import sys

import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

_MOST_RECORDS = 1_000


async def run(kafka: str, source: str, target: str, size: int) -> None:
    """Echo until killed."""
    body = b"." * size
    async with (
        AIOKafkaConsumer(
            source,
            bootstrap_servers=kafka,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=4 * 1024 * 1024,
        ) as consumer,
        AIOKafkaProducer(
            bootstrap_servers=kafka,
            enable_idempotence=True,
            linger_ms=2,
            max_batch_size=256 * 1024,
        ) as producer,
    ):
        while True:
            batch = await consumer.getmany(timeout_ms=500, max_records=_MOST_RECORDS)
            for records in batch.values():
                for record in records:
                    await producer.send(target, body, key=record.key)
            await producer.flush()


if __name__ == "__main__":
    uvloop.run(run(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))
