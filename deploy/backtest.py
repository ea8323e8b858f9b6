"""``tillstream backtest``: a draft campaign on what was recorded, with a bar, then as tables."""

import asyncio
import json
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from deploy import backtest_report
from deploy.local import stack
from deploy.local.errors import StackError
from services.evaluator import backtesting
from services.evaluator.backtest.draft import Request
from services.evaluator.backtest.report import Report
from shared import clock
from shared.codec import InvalidMessageError, decode, encode

_console = Console()
_errors = Console(stderr=True)


def backtest(
    campaign: Annotated[Path, typer.Argument(help="The draft, as JSON (docs/backtest.md).")],
    start: Annotated[str, typer.Option("--from", help="A day, or an instant with its zone.")],
    end: Annotated[str, typer.Option("--to", help="Until before this day or instant.")],
    as_json: Annotated[
        Path | None, typer.Option("--json", help="Write the report to a file; - prints it.")
    ] = None,
    state: Annotated[
        Path | None,
        typer.Option(help="The state directory.", envvar="TILLSTREAM_STATE", show_default=False),
    ] = None,
    *,
    assume_codes: Annotated[
        bool, typer.Option("--assume-codes", help="As if everybody presented every code.")
    ] = False,
    move: Annotated[
        bool, typer.Option("--move", help="As if the campaign began at --from.")
    ] = False,
) -> None:
    """Try a draft campaign on the receipts of the past: who would have got it, at what cost."""
    request = _request(campaign, start, end, assume_codes=assume_codes, move=move)
    database = stack.load(state).database("evaluator")
    report = _run(database, request)
    if as_json is not None:
        text = encode(report).decode()
        if str(as_json) == "-":
            typer.echo(text)
            return
        as_json.write_text(text + "\n")
    names = {one.instrument_id: one.name for one in request.campaign.instruments}
    backtest_report.show(_console, report, request.campaign.name, names)


def _run(database: str, request: Request) -> Report:
    started = clock.monotonic()
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rate]:>7,.0f}/s"),
        TimeRemainingColumn(),
        console=_errors,
        disable=not _errors.is_terminal,
    )
    with bar:
        task = bar.add_task("receipts", total=None, rate=0)

        def watch(done: int, total: int) -> None:
            rate = done / max(clock.monotonic() - started, 0.001)
            what = "receipts" if done < total else "settling caps"
            bar.update(task, completed=done, total=total, rate=rate, description=what)

        try:
            return asyncio.run(backtesting.run(database, request, watch))
        except InvalidMessageError as error:
            raise StackError(str(error)) from None


def _request(campaign: Path, start: str, end: str, *, assume_codes: bool, move: bool) -> Request:
    """What is asked for. Raises ``StackError`` naming the field at fault."""
    try:
        draft: Any = json.loads(campaign.read_bytes())
    except OSError as error:
        message = f"{campaign}: {error.strerror}"
        raise StackError(message) from error
    except ValueError as error:
        message = f"{campaign} is not JSON: {error}"
        raise StackError(message) from error
    body = {
        "campaign": draft,
        "from": _moment("--from", start),
        "to": _moment("--to", end),
        "assume_codes": assume_codes,
        "move": move,
    }
    try:
        return decode(Request, json.dumps(body).encode())
    except InvalidMessageError as error:
        message = f"{campaign}: {error}"
        raise StackError(message) from None


def _moment(option: str, text: str) -> str:
    """A day or an instant, as it was given. Raises ``StackError`` for anything else."""
    try:
        if len(text) == len("2026-12-01"):
            date.fromisoformat(text)
            return text
        if datetime.fromisoformat(text).tzinfo is not None:
            return text
    except ValueError:
        message = f"{option} {text!r} is neither a day (2026-12-01) nor an instant"
        raise StackError(message) from None
    message = f"{option} {text!r} needs a zone: 2026-12-01T08:00+01:00"
    raise StackError(message)
