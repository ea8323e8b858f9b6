"""The customers' log as the service composes it, alone in a process: to be killed.

``python -m tests.customers_process <consumer name> <key in hex>``, with the service's environment variables
``TILLSTREAM_KAFKA`` and ``TILLSTREAM_DATABASE``. Another name reads everything anew.
"""

import os
import sys

import uvloop

from services.customers.app import log_of
from services.customers.forecast.training import Training
from shared import database, logs


async def run(name: str, key: bytes) -> None:
    """Read until killed."""
    async with await database.pool(os.environ["TILLSTREAM_DATABASE"]) as pool:
        training = Training(pool, os.environ["TILLSTREAM_DATABASE"])
        await log_of(os.environ["TILLSTREAM_KAFKA"], pool, key, training, name).run()


if __name__ == "__main__":
    logs.configure("WARNING", "customers")
    uvloop.run(run(sys.argv[1], bytes.fromhex(sys.argv[2])))
