"""A bare Faust agent that takes a topic's events in batches and does nothing with them.

``python -m tests.bench.faust_take_process <kafka> <topic> <seconds> <name>`` prints records per second.
"""

import os
import sys
from typing import Any

import faust
import uvloop

from shared import clock
from shared.garbage import collect_less

_MOST = 1_000
_MOST_POLLED = 4_000
_WITHIN_SECONDS = 0.1
_WARM_UP_RECORDS = 2_000


def taking(kafka: str, topic: str, seconds: float, name: str) -> faust.App:
    """The app; it prints its rate after ``seconds`` and ends the process."""
    app = faust.App(
        name,
        broker=f"kafka://{kafka}",
        store="memory://",
        value_serializer="raw",
        key_serializer="raw",
        web_enabled=False,
        topic_disable_leader=True,
        topic_allow_declare=False,
        consumer_auto_offset_reset="earliest",
        broker_max_poll_records=_MOST_POLLED,
        stream_buffer_maxsize=2 * _MOST_POLLED,
    )

    async def take(records: Any) -> None:
        seen, started, counted = 0, 0.0, 0
        async for events in records.take_events(_MOST, within=_WITHIN_SECONDS):
            seen += len(events)
            if not started:
                if seen >= _WARM_UP_RECORDS:
                    started, counted = clock.monotonic(), seen
                continue
            elapsed = clock.monotonic() - started
            if elapsed > seconds:
                # On a line of its own: Faust has left control codes on this one.
                print(f"\n{(seen - counted) / elapsed}", flush=True)  # noqa: T201
                os._exit(0)  # a graceful end would take longer than the run

    app.agent(app.topic(topic, key_type=bytes, value_type=bytes), concurrency=1)(take)
    return app


if __name__ == "__main__":
    # The event loop and the garbage collector as the service has them.
    uvloop.install()
    collect_less()
    application = taking(sys.argv[1], sys.argv[2], float(sys.argv[3]), sys.argv[4])
    # Without redirect_stdouts=False what we print would become a log record of Faust's.
    faust.Worker(
        application, loglevel="ERROR", redirect_stdouts=False, quiet=True
    ).execute_from_commandline()
