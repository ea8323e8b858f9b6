"""The evaluator's closing of periods, alone in a process: to be killed.

``python -m tests.closing_process <customers at once>``, with the service's ``TILLSTREAM_DATABASE``.
"""

import os
import sys

import uvloop

from services.evaluator.closing import Closing
from shared import database, logs


async def run(page: int) -> None:
    """Close periods until killed."""
    async with await database.pool(os.environ["TILLSTREAM_DATABASE"]) as pool:
        await Closing(pool, page=page).run()


if __name__ == "__main__":
    logs.configure("WARNING", "evaluator")
    uvloop.run(run(int(sys.argv[1])))
