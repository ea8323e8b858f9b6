"""``python -m tests.faults --seed N --runs K``: K seeds from N on; exit status 1 if anything differs."""

import argparse
import asyncio
import json
import logging
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from deploy.local import stack as local
from deploy.local.stack import Stack
from tests.faults import report
from tests.faults.errands import RECEIPTS
from tests.faults.evidence import Difference
from tests.faults.run import Outcome, run, start
from tests.faults.schedule import plan

_SHOWN = 40


def say(text: str) -> None:
    """Print a line at once."""
    print(text, flush=True)  # noqa: T201


async def seeds(stack: Stack, first: int, count: int) -> list[Outcome]:
    """Run so many seeds, one after another; ends at the first that cannot go on."""
    outcomes = []
    for seed in range(first, first + count):
        try:
            outcome = await run(stack, seed)
        except Exception as error:  # noqa: BLE001 - what was measured until then is still told
            outcome = Outcome(plan(seed, RECEIPTS))
            outcome.differences.append(
                Difference("the run", "could be checked", "yes", repr(error))
            )
        outcomes.append(outcome)
        say(report.line(outcome))
        if not outcome.passed:
            say(f"  schedule: {outcome.schedule}")
            for difference in outcome.differences[:_SHOWN]:
                say(f"  {difference}")
        if not local.record(stack.state).alive:
            say("the stack is gone")
            break
    return outcomes


def main() -> int:
    """The entry point."""
    parser = argparse.ArgumentParser(prog="tests.faults", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="the first seed")
    parser.add_argument("--runs", type=int, default=1, help="how many seeds, one after another")
    parser.add_argument("--state", type=Path, help="a state directory to use and to keep")
    parser.add_argument("--plan", action="store_true", help="only print the schedules")
    options = parser.parse_args()
    if options.plan:
        for seed in range(options.seed, options.seed + options.runs):
            say(plan(seed, RECEIPTS).json)
        return 0
    # It logs every connection that is refused or lost.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    state = options.state or Path(tempfile.mkdtemp(prefix="tillstream-chaos-"))
    passed = False
    try:
        say(f"starting the stack in {state}")
        stack = start(state)
        outcomes = asyncio.run(seeds(stack, options.seed, options.runs))
        Console().print(report.table(outcomes))
        passed = all(outcome.passed for outcome in outcomes)
        say(json.dumps(report.summary(outcomes)))
    finally:
        if options.state is None:
            local.down(state, delete=passed)
            if not passed:
                sys.stderr.write(f"the state is kept in {state}\n")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
