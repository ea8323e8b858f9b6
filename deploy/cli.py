"""The command line: ``tillstream up | down | status | logs | demo | env | token | …``."""

import json
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from deploy import backtest, decisions, operations, verify
from deploy.local import stack, supervisor
from deploy.local.errors import StackError
from deploy.local.ports import HOST
from deploy.local.services import SERVERS, plan
from deploy.local.state import Process, Record, StateDirectory

app = typer.Typer(
    help="Tillstream: promotions decided at the checkout and counted live.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(operations.letters_app, name="dead-letters")
app.command()(operations.token)
app.command()(backtest.backtest)
app.command()(operations.env)
app.command()(decisions.explain)
app.command("replay")(decisions.replay_decisions)
app.command()(verify.verify)
_console = Console()
_errors = Console(stderr=True)
_FOLLOW_POLL_S = 0.2
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")

State = Annotated[
    Path | None,
    typer.Option(help="The state directory.", envvar="TILLSTREAM_STATE", show_default=False),
]
Only = Annotated[str | None, typer.Option(help="Run only these processes, such as kafka,postgres.")]
Services = Annotated[
    str | None, typer.Option(help="The services to run, each as name or name=module.")
]


@contextmanager
def _clear_errors() -> Iterator[None]:
    """One line that says what to do, and no traceback."""
    try:
        yield
    except StackError as error:
        _complain(error)
        raise typer.Exit(1) from None


def _complain(error: StackError) -> None:
    _errors.print(f"error: {error}", style="red", markup=False, highlight=False, soft_wrap=True)


@app.command()
def up(
    state: State = None,
    only: Only = None,
    services: Services = None,
    *,
    foreground: Annotated[bool, typer.Option(help="Stay, until Ctrl-C ends it all.")] = False,
) -> None:
    """Start Kafka, PostgreSQL and the services, and wait until all are ready."""
    named = None if services is None else _names(services)
    with _clear_errors():
        if foreground:
            raise typer.Exit(supervisor.run(state, plan(_names(only), named), _announce(state)))
        already = stack.record(state).phase == "ready" and stack.record(state).alive
        with _console.status("starting") as status:
            started = stack.up(state, _names(only), named, _progress(status.update))
        _console.print("Already up:" if already else "Up:")
        _show_addresses(stack.record(started.state), started.state)


@app.command()
def down(
    state: State = None,
    *,
    delete_data: Annotated[
        bool, typer.Option("--delete-data", help="Delete the state directory, too.")
    ] = False,
) -> None:
    """Stop everything; the data stay."""
    with _clear_errors(), _console.status("stopping"):
        stopped = stack.down(state, delete=delete_data)
    _console.print("Stopped." if stopped else "Nothing was running.")


@app.command()
def status(
    state: State = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Show what runs; the exit code is 1 unless all is up."""
    with _clear_errors():
        record = stack.record(state)
    rows = [_row(process) for process in record.processes.values()]
    all_up = record.alive and record.phase == "ready" and all(r.state == "ready" for r in rows)
    if as_json:
        processes = [vars(row) for row in rows]
        shown = {"up": all_up, "error": record.error, "processes": processes}
        sys.stdout.write(json.dumps(shown, indent=2) + "\n")
    elif not rows:
        _console.print("Nothing runs; start it with `tillstream up`.")
    else:
        _console.print(_table(rows))
        if not record.alive:
            _console.print("The supervisor does not run; start it with `tillstream up`.")
    if record.error:
        _complain(StackError(record.error))
    raise typer.Exit(0 if all_up else 1)


@app.command()
def logs(
    process: Annotated[str | None, typer.Argument(help="Which; all by default.")] = None,
    state: State = None,
    *,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on as it grows.")] = False,
    lines: Annotated[int, typer.Option("-n", min=1, help="How many lines of each.")] = 40,
) -> None:
    """Show the logs."""
    directory = StateDirectory(state)
    found = sorted(directory.logs.glob("*.log"))
    if process is not None:
        found = [path for path in found if path.stem == process]
    with _clear_errors():
        if not found:
            msg = f"no such log in {directory.logs}: start the stack, or check the name"
            raise StackError(msg)
    ends = {path: _print_end(path, lines, label=len(found) > 1) for path in found}
    while follow:
        time.sleep(_FOLLOW_POLL_S)
        for path, end in ends.items():
            ends[path] = _print_from(path, end, label=len(found) > 1)


@app.command()
def demo(
    baskets: Annotated[str, typer.Option(help="How many, or `all`.")] = "30000",
    state: State = None,
) -> None:
    """Bring the stack up and replay real shopping baskets through it."""
    # The demonstration needs its data set's packages; the other commands do not.
    from deploy.demo import run  # noqa: PLC0415

    with _clear_errors():
        if baskets != "all" and not _NUMBER.fullmatch(baskets):
            msg = f"--baskets takes a number from 1 on or `all`, not {baskets!r}"
            raise StackError(msg)
        raise typer.Exit(run(None if baskets == "all" else int(baskets), state))


@dataclass(frozen=True)
class _Row:
    process: str
    pid: int | None
    state: str
    address: str
    restarts: int
    uptime_s: float | None


def _row(process: Process) -> _Row:
    identity = process.identity
    if identity is None or not identity.alive():
        state = "down" if process.state in ("ready", "starting", "stopped") else process.state
        return _Row(process.name, None, state, process.address, process.restarts, None)
    uptime_s = round(identity.uptime_s(), 1)
    return _Row(
        process.name, identity.pid, process.state, process.address, process.restarts, uptime_s
    )


def _table(rows: list[_Row]) -> Table:
    table = Table("process", "pid", "state", "address", "restarts", "uptime")
    for row in rows:
        colour = "green" if row.state == "ready" else "red"
        table.add_row(
            row.process,
            "" if row.pid is None else str(row.pid),
            f"[{colour}]{row.state}[/]",
            row.address,
            str(row.restarts),
            "" if row.uptime_s is None else _duration(row.uptime_s),
        )
    return table


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"


def _names(text: str | None) -> list[str]:
    return [name for name in (text or "").split(",") if name]


def _progress(update: Callable[[str], None]) -> Callable[[str], None]:
    def report(message: str) -> None:
        update(message)
        # A spinner shows nothing in a pipe; a long step must still be seen.
        if not _console.is_terminal:
            _console.print(f"  {message}", highlight=False)

    return report


def _announce(state: Path | None) -> Callable[[str], None]:
    def report(message: str) -> None:
        if message == "ready":
            directory = StateDirectory(state)
            _show_addresses(directory.read(), directory.path)
            _console.print("Ctrl-C stops it all.")
        else:
            _console.print(f"  {message}", highlight=False)

    return report


def _show_addresses(record: Record, path: Path) -> None:
    for name, process in record.processes.items():
        _console.print(f"  {name:<10} {process.address}", highlight=False)
    for name in SERVERS:
        if name not in record.processes and os.environ.get(f"TILLSTREAM_{name.upper()}"):
            _console.print(f"  {name:<10} your own")
    if "emission" in record.processes:
        url = f"http://{HOST}:{record.ports['emission']}"
        _console.print(
            f"  {url} is the console: sign in as `admin`; the password is", highlight=False
        )
        where = path / "secrets.json"
        _console.print(f"  `admin_password` in {where}", highlight=False, soft_wrap=True)


def _print_end(path: Path, lines: int, *, label: bool) -> int:
    content = path.read_bytes()
    text = content.decode(errors="replace")
    for line in text.splitlines()[-lines:]:
        _print_line(path, line, label=label)
    return len(content)


def _print_from(path: Path, start: int, *, label: bool) -> int:
    size = path.stat().st_size
    if size < start:  # it was rotated
        start = 0
    with path.open("rb") as file:
        file.seek(start)
        new = file.read()
    # Only whole lines; the rest comes with the next look.
    whole = new[: new.rfind(b"\n") + 1]
    for line in whole.decode(errors="replace").splitlines():
        _print_line(path, line, label=label)
    return start + len(whole)


def _print_line(path: Path, line: str, *, label: bool) -> None:
    sys.stdout.write(f"{path.stem:<10} {line}\n" if label else f"{line}\n")
    sys.stdout.flush()


def _heed_signals() -> None:
    """Let being terminated be what Ctrl-C is: no process may stay behind."""
    # A job in the background of a script would ignore SIGINT.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
            # By way of SIGINT, which event loops turn into an orderly end.
            signal.signal(number, lambda *_: signal.raise_signal(signal.SIGINT))


def main() -> None:
    """The entry point: an error is one line that says what to do."""
    _heed_signals()
    try:
        app()
    except StackError as error:
        _complain(error)
        sys.exit(1)


if __name__ == "__main__":
    main()
