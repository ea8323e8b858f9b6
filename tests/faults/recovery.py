"""How long after a server is ready again until the next sale is committed: measured by sales of our own."""

import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg
from aiokafka.partitioner import DefaultPartitioner
from pydantic_extra_types.currency_code import ISO4217

from deploy.local.stack import Stack
from shared import clock
from shared.events.checkout import Sale, SoldLine
from shared.topics import SALES, terminal_key
from tests.faults.book import Book
from tests.faults.counter import Counter
from tests.faults.network import Network
from tests.faults.offers import Offers
from tests.faults.schedule import Fault
from tests.integration.shop import CURRENCY

WITHIN_SECONDS = 120.0
_POLL_SECONDS = 0.02
_AWAY = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError)


@dataclass(frozen=True)
class Recovery:
    """Seconds from the moment when all that was hit was ready again.

    To the ``first`` commit, and until sales of ``every`` partition were committed; over ``http``, until both
    evaluators had answered a sale with 200. ``away`` is from the fault to that moment.
    """

    kind: str
    away: float
    first: float
    every: float
    http: float


def kind_of(together: Sequence[Fault]) -> str:
    """What a moment's faults are called in figures: a second process is of the same kind."""
    if len(together) > 1:
        return "two at once"
    return together[0].kind.removesuffix("2")


@dataclass
class Probes:
    """Tills that sell one thing after each fault: one for each partition, and one at each evaluator over HTTP."""

    stack: Stack
    offers: Offers
    network: Network
    counter: Counter
    book: Book
    _sent: int = 0
    _asked: int = 0

    async def recovery(self, together: Sequence[Fault], away: float) -> Recovery:
        """How long it takes from now on, when all that was hit is ready again."""
        async with asyncio.TaskGroup() as group:
            http = group.create_task(self._answers())
            commits = group.create_task(self._commits(together))
        return Recovery(kind_of(together), away, *commits.result(), http.result())

    async def _commits(self, together: Sequence[Fault]) -> tuple[float, float]:
        """Seconds until the first sale sent from now on is committed, and until all are."""
        began = clock.monotonic()
        sales = [self._sale(partition) for partition in range(SALES.partitions)]
        sending = [
            asyncio.create_task(self.network.deliver(self.book.write(f"{sale.receipt_id}-s", sale)))
            for sale in sales
        ]
        statistics = all("analytics" in fault.kind for fault in together)
        count = _Count(self.stack, self.offers.probes, in_statistics=statistics)
        first = await count.reached(self._sent - len(sales) + 1, began)
        every = await count.reached(self._sent, began)
        await asyncio.gather(*sending)
        return first, every

    async def _answers(self) -> float:
        """Seconds until a sale that is sent to each evaluator now has been answered by both."""
        began = clock.monotonic()
        async with asyncio.timeout(WITHIN_SECONDS), asyncio.TaskGroup() as group:
            for client in self.counter.clients:
                self._asked += 1
                name = f"{self.offers.run}-asked-{self._asked}"
                # Not of the probes' own store: what is committed there is counted.
                sale = self._of_one_thing(name, self.offers.stores[0], "probe")
                sent = self.book.write(f"{name}-s", sale)
                group.create_task(self.counter.deliver("/v1/sales", sent, client))
        return clock.monotonic() - began

    def _sale(self, partition: int) -> Sale:
        self._sent += 1
        name = f"{self.offers.run}-probe-{self._sent}"
        terminal = _terminal_on(self.offers.probes, partition)
        return self._of_one_thing(name, self.offers.probes, terminal)

    def _of_one_thing(self, receipt_id: str, store_id: str, terminal_id: str) -> Sale:
        line = SoldLine(
            line=1, sku="probe", quantity=1_000, list_price=100, price=100, amount=100, discount=0
        )
        return Sale(
            receipt_id=receipt_id,
            store_id=store_id,
            terminal_id=terminal_id,
            occurred_at=clock.now(),
            currency=ISO4217(CURRENCY),
            lines=(line,),
        )


@dataclass
class _Count:
    """How many of the probes' sales are committed: in the ledger, or in the statistics."""

    stack: Stack
    store: str
    in_statistics: bool
    _connection: "asyncpg.Connection[asyncpg.Record] | None" = None

    async def reached(self, wanted: int, began: float) -> float:
        """Seconds since ``began`` once there are so many. Raises ``AssertionError`` if it takes too long."""
        while await self._now() < wanted:
            if clock.monotonic() - began > WITHIN_SECONDS:
                message = f"no commit within {WITHIN_SECONDS:.0f} s of being ready again"
                raise AssertionError(message)
            await asyncio.sleep(_POLL_SECONDS)
        return clock.monotonic() - began

    async def _now(self) -> int:
        service, query = ("analytics", _COUNTED) if self.in_statistics else ("evaluator", _PAID)
        try:
            if self._connection is None or self._connection.is_closed():
                self._connection = await asyncpg.connect(self.stack.database(service), timeout=2)
            return int(await self._connection.fetchval(query, self.store, timeout=2))
        except _AWAY:
            self._connection = None
            return 0


_PAID = "select count(*) from receipts where store_id = $1 and status = 'paid'"
_COUNTED = "select coalesce(sum(receipts), 0) from receipt_minutes where store_id = $1"
_PARTITIONER = DefaultPartitioner()


def _terminal_on(store: str, partition: int) -> str:
    """A terminal of the store whose messages are on that partition."""
    numbers = list(range(SALES.partitions))
    names = (f"p{n}" for n in itertools.count())
    return next(
        name
        for name in names
        if _PARTITIONER(terminal_key(store, name), numbers, numbers) == partition
    )
