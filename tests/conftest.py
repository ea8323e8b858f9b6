"""One real Kafka, PostgreSQL and set of services for the whole run, started when first needed."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local import stack as local
from deploy.local.stack import Stack

# Dozens of brokers start in a run, and most are gone before thorough compiling would pay.
os.environ.setdefault("KAFKA_JVM_PERFORMANCE_OPTS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """The whole stack, as ``tillstream up`` starts it, in a state directory of its own.

    ``TILLSTREAM_TEST_STATE`` names the state directory of one that is up already, which spares
    its start while a test is being written.
    """
    running = os.environ.get("TILLSTREAM_TEST_STATE")
    if running:
        yield local.load(Path(running))
        return
    with tempfile.TemporaryDirectory(prefix="tillstream-test-") as directory:
        state = Path(directory)
        try:
            yield local.up(state)
        finally:
            local.down(state, delete=True)
