"""The rollup's consumer as analytics composes it, alone in a process: to be killed, or measured.

``python -m tests.rollup_process <consumer name>``, with the service's environment variables
``TILLSTREAM_KAFKA`` and ``TILLSTREAM_DATABASE``. Another name counts everything anew.
"""

import os
import sys

import uvloop

from services.analytics.app import rollup_consumer
from shared import database, logs
from shared.garbage import collect_less


async def run(name: str) -> None:
    """Consume until killed."""
    async with await database.pool(os.environ["TILLSTREAM_DATABASE"]) as pool:
        consumer = rollup_consumer(os.environ["TILLSTREAM_KAFKA"], pool, name)
        collect_less()
        await consumer.run()


if __name__ == "__main__":
    logs.configure("WARNING", "analytics")
    uvloop.run(run(sys.argv[1]))
