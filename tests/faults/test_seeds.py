"""A few seeds on every test run; ``make chaos`` runs as many as one likes (docs/reliability.md).

Between them: an evaluator, PostgreSQL and Kafka are killed, tills and the relay lose their connections.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local import stack as local
from deploy.local.stack import Stack
from tests.faults import report
from tests.faults.run import run, start

SEEDS = (48, 86)
RECEIPTS = 60


@pytest.fixture(scope="module")
def two_evaluators() -> Iterator[Stack]:
    """A stack of its own: holds must be short, and a second evaluator shares the ledger."""
    with tempfile.TemporaryDirectory(prefix="tillstream-chaos-") as directory:
        state = Path(directory)
        try:
            yield start(state)
        finally:
            local.down(state, delete=True)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", SEEDS)
async def test_every_count_agrees_whatever_is_broken(two_evaluators: Stack, seed: int) -> None:
    outcome = await run(two_evaluators, seed, RECEIPTS)
    assert outcome.differences == [], f"{report.line(outcome)}; {outcome.schedule}"
