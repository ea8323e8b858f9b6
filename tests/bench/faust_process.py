"""A Faust agent that counts a topic's records per key in a table, the obvious way to write a rollup.

``python -m tests.bench.faust_process <kafka> <topic> <seconds> <name>`` prints records per second.
"""

import os
import sys

import faust

from shared import clock

_WARM_UP_RECORDS = 500


def counting(kafka: str, topic: str, seconds: float, name: str) -> faust.App:
    """The app; it prints its rate after ``seconds`` and ends the process."""
    app = faust.App(
        name,
        broker=f"kafka://{kafka}",
        store="memory://",
        value_serializer="raw",
        key_serializer="raw",
        topic_partitions=4,
        web_enabled=False,
        consumer_auto_offset_reset="earliest",
        broker_max_poll_records=5_000,
    )
    # Keys as they come: decoding them is no part of a table.
    counts = app.Table("counts", default=int, key_type=bytes, value_type=int)

    async def count(records: faust.StreamT[bytes]) -> None:
        seen, started = 0, 0.0
        async for key, _ in records.items():  # noqa: PERF102 - a stream, not a dict
            counts[key] += 1
            seen += 1
            if seen == _WARM_UP_RECORDS:
                started = clock.monotonic()
            elif seen % 100 == 0 and seen > _WARM_UP_RECORDS:
                elapsed = clock.monotonic() - started
                if elapsed > seconds:
                    # On a line of its own: Faust has left control codes on this one.
                    print(f"\n{(seen - _WARM_UP_RECORDS) / elapsed}", flush=True)  # noqa: T201
                    os._exit(0)  # a graceful end would take longer than the run

    app.agent(app.topic(topic, key_type=bytes, value_type=bytes))(count)
    return app


if __name__ == "__main__":
    application = counting(sys.argv[1], sys.argv[2], float(sys.argv[3]), sys.argv[4])
    # Without redirect_stdouts=False what we print would become a log record of Faust's.
    faust.Worker(
        application, loglevel="ERROR", redirect_stdouts=False, quiet=True
    ).execute_from_commandline()
