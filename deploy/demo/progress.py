"""What is seen while the demo runs: bars of carts, decisions, sales and recorded receipts."""

import asyncio
from collections.abc import Awaitable, Callable

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)

from deploy.demo.till import Tally
from shared import clock

_EVERY_S = 0.5
_PLAIN_EVERY_S = 10.0
"""Without a terminal nothing is redrawn: a line now and then instead."""


def bars(console: Console) -> Progress:
    """The bars, with a rate."""
    return Progress(
        TextColumn("{task.description:>18}"),
        BarColumn(),
        MofNCompleteColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rate]:>7,.0f}/s"),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
    )


async def watch(
    console: Console, tally: Tally, recorded: Callable[[], Awaitable[int]], baskets: int
) -> None:
    """Show how far the replay is, until all receipts are recorded or it is cancelled."""
    start = said = clock.monotonic()
    with bars(console) as shown:
        names = ("carts sent", "decisions received", "sales sent", "receipts recorded")
        tasks = [shown.add_task(name, total=baskets, rate=0) for name in names]
        while True:
            counts = (tally.carts, tally.decisions, tally.sales, await recorded())
            now = clock.monotonic()
            for task, count in zip(tasks, counts, strict=True):
                rate = count / max(now - start, 0.001)
                shown.update(task, completed=count, rate=rate)
            if not console.is_terminal and now - said >= _PLAIN_EVERY_S:
                said = now
                pairs = zip(names, counts, strict=True)
                console.print(", ".join(f"{name} {count:,}" for name, count in pairs))
            if counts[-1] >= baskets:
                return
            await asyncio.sleep(_EVERY_S)
