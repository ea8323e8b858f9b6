"""``tillstream verify``: whether ledger, events and statistics say the same; certificates of limits."""

import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from deploy.local import stack
from deploy.local.errors import StackError
from deploy.local.stack import Stack
from deploy.verification import events as topics
from deploy.verification import report, snapshot
from deploy.verification.events import Events
from deploy.verification.proof import Proof
from shared.topics import BONUSES

What = Literal["counters", "customers"]
_console = Console()
_progress = Console(stderr=True)


def verify(
    what: Annotated[
        What, typer.Argument(help="counters (with events and statistics), or customers.")
    ] = "counters",
    *,
    limit: Annotated[
        str | None, typer.Option(help="Show this limit's slots, with receipts and their history.")
    ] = None,
    state: Annotated[
        Path | None,
        typer.Option(help="The state directory.", envvar="TILLSTREAM_STATE", show_default=False),
    ] = None,
    wait: Annotated[
        float, typer.Option(min=0, help="Seconds that events and statistics may take to catch up.")
    ] = 30,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Prove that counters, ledger, events and statistics agree, or that customers' profiles are what the log says.

    The exit code is 1 if anything differs.
    """
    if what == "customers":
        _verify_customers(stack.load(state), as_json=as_json)
    proof = asyncio.run(_prove(stack.load(state), limit, wait))
    if limit is not None and proof.ledger.certificate is None:
        message = f"there is no limit {limit}: `tillstream verify` lists them"
        raise StackError(message)
    if as_json:
        typer.echo(json.dumps(proof.document(), indent=2))
    else:
        _show(proof)
    raise typer.Exit(1 if proof.differences else 0)


async def _prove(running: Stack, limit_id: str | None, wait_s: float) -> Proof:
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[amount]}"))
    with Progress(*columns, TimeElapsedColumn(), console=_progress, transient=True) as progress:
        shown = _Shown(progress)
        evaluator, analytics = running.database("evaluator"), running.database("analytics")
        ledger = await snapshot.ledger(evaluator, limit_id, shown)
        shown("waiting for events and statistics", 0, None)
        late = await snapshot.catch_up(evaluator, analytics, running.kafka, ledger.cut, wait_s)
        rollups = await snapshot.statistics(analytics)
        events = Events(ledger.cut, rollups.read)
        await topics.read(running.kafka, events, lambda done, of: shown("events", done, of))
    notes = [
        f"{topic} does not begin at offset 0 but at {offset}: what it has lost cannot be summed, and it is"
        " not compared"
        for topic, offset in events.missing.items()
    ]
    said = None if BONUSES.name in events.missing else events.bonuses
    return Proof(ledger, snapshot.sources(ledger, events, rollups), said, late, notes)


def _verify_customers(running: Stack, *, as_json: bool) -> NoReturn:
    """Make every profile again from the log, and compare."""
    # The service's own code, with numpy and scipy: every other command would start later for it.
    from deploy.verification import profiles  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[amount]}"))
    key = bytes.fromhex(running.secrets.customers_key)
    with Progress(*columns, TimeElapsedColumn(), console=_progress, transient=True) as progress:
        found = asyncio.run(
            profiles.verify(running.database("customers"), running.kafka, key, _Shown(progress))
        )
    if as_json:
        typer.echo(json.dumps(asdict(found), indent=2))
    else:
        for note in found.notes:
            _console.print(f"note: {note}", style="yellow", highlight=False)
        for customer_id, fields in found.differences.items():
            words = f"differs: {customer_id} in {', '.join(fields)}"
            _console.print(words, style="red", markup=False, highlight=False)
        counted = f"{found.customers:,} profiles, {found.purchases:,} purchases, {found.returns:,} returns"
        verdict = f"{found.differing:,} differ" if found.differing else "all are what the log says"
        _console.print(f"{counted}: {verdict}.", highlight=False)
    raise typer.Exit(1 if found.differing else 0)


class _Shown:
    """A bar for each step, on the error output: what is printed may go to a file."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, what: str, done: int, of: int | None) -> None:
        """Show how much of a step is done."""
        if what not in self._tasks:
            self._tasks[what] = self._progress.add_task(what, total=of, amount="")
        amount = f"{done:,}" if of is None else f"{done:,} of {of:,}"
        self._progress.update(
            self._tasks[what], completed=done, total=of, amount=amount if done else ""
        )


def _show(proof: Proof) -> None:
    for table in report.tables(proof):
        _console.print(table)
    for note in proof.notes:
        _console.print(f"note: {note}", style="yellow", highlight=False)
    for words in proof.differences:
        _console.print(f"differs: {words}", style="red", markup=False, highlight=False)
    counted = (
        f"{proof.ledger.limits:,} limits, {len(proof.ledger.leases):,} leases,"
        f" {proof.ledger.redemptions:,} redemptions, {len(proof.rows):,} instruments"
    )
    if proof.differences:
        _console.print(f"{counted}: {len(proof.differences)} differences.", highlight=False)
    else:
        _console.print(f"{counted}: all agree.", highlight=False)
