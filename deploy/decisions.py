"""Commands about decisions: what was decided and why, and whether it would be decided so again."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import asyncpg
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from deploy.local import stack
from deploy.local.errors import StackError
from services.evaluator import explanation, recording
from services.evaluator.explanation import Names, money
from services.evaluator.receipt import event_key_of
from services.evaluator.replay import Difference, event_of, replay
from services.evaluator.store import recordings as recording_store
from services.evaluator.store.recordings import Recording
from shared.codec import decode
from shared.database import Connection
from shared.events.outcome import Decision

_console = Console()
_SHOWN_BYTES = 60
_MOST_SHOWN = 20

State = Annotated[
    Path | None,
    typer.Option(help="The state directory.", envvar="TILLSTREAM_STATE", show_default=False),
]


def instant(text: str, option: str) -> datetime:
    """An instant given on the command line; a day or a time without zone is UTC's."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        message = f"{option} takes a day or a time, as 2026-12-05 or 2026-12-05T10:00+02:00"
        raise StackError(message) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


@dataclass(frozen=True)
class _Found:
    """A decision with what is known of its making; ``goods`` are the lines' skus."""

    decision: Decision
    facts: recording.Facts | None = None
    names: Names = field(default_factory=dict)
    goods: Mapping[int, str] = field(default_factory=dict)


def explain(
    decision: Annotated[str, typer.Argument(help="The id of a decision, or of a receipt.")],
    state: State = None,
) -> None:
    """Say what was decided and why: what applied, what did not, and what was missing."""
    found = asyncio.run(_find(stack.load(state).database("evaluator"), decision))
    if found is None:
        message = f"no decision or receipt {decision} is known to the evaluator"
        raise StackError(message)
    _show(found)


async def _find(database: str, name: str) -> _Found | None:
    connection = await asyncpg.connect(database)
    try:
        key = _key(name)
        recorded = await recording_store.recording(connection, key) if key else None
        if recorded is not None:
            return await _recorded(connection, recorded)
        kept = await recording_store.decision_of_receipt(connection, name)
        if kept is None:
            return None
        known = decode(Decision, kept, ignore_unknown=True)
        recorded = await recording_store.recording(connection, event_key_of(known.decision_id))
        # A cancel, say, is an answer without rules.
        return await _recorded(connection, recorded) if recorded else _Found(known)
    finally:
        await connection.close()


async def _recorded(connection: Connection, recorded: Recording) -> _Found:
    facts = recording.decode_facts(recorded.facts)
    decision = decode(Decision, recorded.decision, ignore_unknown=True)
    named = {one.campaign_id for one in decision.applied}
    named |= {one.campaign_id for one in decision.not_applied}
    campaigns = await recording_store.campaigns_as_of(connection, named, facts.ruleset_version)
    return _Found(
        decision,
        facts,
        names={(c.campaign_id, i.instrument_id): i.name for c in campaigns for i in c.instruments},
        goods={line.line: line.sku for line in event_of(recorded).lines},
    )


def _key(name: str) -> bytes | None:
    try:
        return event_key_of(name)
    except ValueError:
        return None


def _show(found: _Found) -> None:
    decision, names = found.decision, found.names
    _console.print(
        f"[bold]{decision.decision_id}[/]  receipt {decision.receipt_id}, revision"
        f" {decision.revision}, {decision.intent} at {decision.store_id}/{decision.terminal_id},"
        f" {decision.occurred_at.isoformat()}: {decision.outcome}",
        highlight=False,
    )
    _console.print(
        f"rules: version {decision.ruleset_version}, hash {decision.ruleset_hash}", highlight=False
    )
    if decision.blocked:
        _console.print(f"promotions are withheld from this {decision.blocked}", highlight=False)
    _console.print(_lines(found))
    currency = decision.currency
    _list(
        "applied",
        [
            (f"no. {n}: {explanation.name_of(a, names)}", explanation.what(a, currency))
            for n, a in enumerate(decision.applied, start=1)
        ],
    )
    _list(
        "not applied",
        [
            (explanation.name_of(n, names), explanation.why_not(n, names, currency))
            for n in decision.not_applied
        ],
    )
    _list(
        "codes not used",
        [
            (f"code no. {u.code + 1}", explanation.unused_code(u.reason))
            for u in decision.unused_codes
        ],
    )
    if decision.near_misses:
        _console.print("\n[bold]near misses[/]")
        for miss in decision.near_misses:
            _console.print(
                f"  {explanation.near_miss(miss, names, decision.currency)}", highlight=False
            )
    if found.facts:
        _show_facts(found.facts)


def _list(title: str, rows: Sequence[tuple[str, str]]) -> None:
    if rows:
        _console.print(f"\n[bold]{title}[/]")
        for name, words in rows:
            _console.print(f"  {name}: {words}", highlight=False, markup=False)


def _lines(found: _Found) -> Table:
    """Every line with what each instrument takes off it, under the number it is listed by."""
    decision = found.decision
    by = [(n, one) for n, one in enumerate(decision.applied, start=1) if one.discount]
    table = Table("line", "goods", "amount", *(f"no. {n}" for n, _ in by), "discount", "to pay")
    for column in (*table.columns[:1], *table.columns[2:]):
        column.justify = "right"
    shares = [{x.line: x.discount for x in one.lines} for _, one in by]
    for line in decision.lines:
        amounts = [line.amount, *(share.get(line.line, 0) for share in shares)]
        amounts += [line.discount, line.amount - line.discount]
        words = [money(amount, decision.currency) if amount else "" for amount in amounts]
        table.add_row(str(line.line), found.goods.get(line.line, ""), *words)
    table.add_section()
    total = [decision.total, *(one.discount for _, one in by)]
    total += [decision.discount, decision.total - decision.discount]
    table.add_row("all", "", *(money(x, decision.currency) for x in total), style="bold")
    return table


def _show_facts(facts: recording.Facts) -> None:
    _console.print("\n[bold]decided by[/]")
    rows = {
        "region": facts.region,
        "store's time zone": facts.time_zone,
        "device": facts.device,
        "customer's groups": ", ".join(facts.groups),
        "customer's segments": ", ".join(facts.segments),
        "earlier purchases looked at": str(len(facts.purchases)) if facts.purchases else "",
    }
    for name, value in rows.items():
        if value:
            _console.print(f"  {name}: {value}", highlight=False, markup=False)
    for limit_id, free in sorted(facts.free.items()):
        _console.print(f"  left of limit {limit_id}: {free}", highlight=False, markup=False)


def replay_decisions(
    start: Annotated[str, typer.Option("--from", help="The first instant, by when they came.")],
    end: Annotated[str, typer.Option("--to", help="The instant after the last.")],
    state: State = None,
) -> None:
    """Make recorded decisions again, and report every byte that differs."""
    between = instant(start, "--from"), instant(end, "--to")
    database = stack.load(state).database("evaluator")
    replayed, differences = asyncio.run(_replay(database, *between))
    for different in differences[:_MOST_SHOWN]:
        _console.print(
            f"{different.decision_id} of {different.received_at.isoformat()} differs from byte"
            f" {different.position} on",
            highlight=False,
        )
        _console.print(f"  recorded: {_excerpt(different.recorded)}", highlight=False, markup=False)
        _console.print(f"  again:    {_excerpt(different.again)}", highlight=False, markup=False)
    _console.print(f"{replayed} decisions made again, {len(differences)} differ.")
    raise typer.Exit(1 if differences else 0)


def _excerpt(text: bytes) -> str:
    return text[:_SHOWN_BYTES].decode(errors="replace")


async def _replay(
    database: str, start: datetime, end: datetime
) -> tuple[int, Sequence[Difference]]:
    connection = await asyncpg.connect(database)
    columns = (
        TextColumn("decisions"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    replayed = 0
    differences: list[Difference] = []
    try:
        with Progress(*columns, console=_console, transient=True) as progress:
            total = await recording_store.count(connection, start, end)
            task = progress.add_task("decisions", total=total)
            async for different in replay(connection, start, end):
                replayed += 1
                differences += [different] if different else []
                progress.update(task, completed=replayed)
    finally:
        await connection.close()
    return replayed, differences
