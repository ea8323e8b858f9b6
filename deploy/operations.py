"""Commands for whoever runs Tillstream: tokens and dead letters."""

import asyncio
import shlex
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated, get_args

import typer
from rich.console import Console
from rich.table import Table

from deploy import dead_letters
from deploy.local import stack
from deploy.local.errors import StackError
from deploy.local.services import SERVICES
from shared import clock
from shared.topics import BY_NAME
from shared.web.auth import Scope, sign

letters_app = typer.Typer(no_args_is_help=True, help="Messages that could not be used.")
_console = Console()
_DAILY: Sequence[Scope] = (
    "campaigns:write",
    "campaigns:read",
    "quotes:write",
    "checkouts:write",
    "ledger:read",
    "statistics:read",
    "customers:read",
    "customers:write",
)

Topic = Annotated[str | None, typer.Option(help="Of this topic only, such as checkout.carts.v1.")]
State = Annotated[
    Path | None,
    typer.Option(help="The state directory.", envvar="TILLSTREAM_STATE", show_default=False),
]


def token(
    scope: Annotated[list[str], typer.Option(help="What it allows; may be repeated.")],
    state: State = None,
    hours: Annotated[int, typer.Option(min=1, max=24 * 30, help="How long it is valid.")] = 8,
) -> None:
    """Print a token for the running stack's HTTP APIs."""
    allowed: tuple[Scope, ...] = get_args(Scope)
    scopes = [known for known in allowed if known in scope]
    if unknown := sorted(set(scope) - set(scopes)):
        message = f"--scope {', '.join(unknown)} is none of {', '.join(allowed)}"
        raise StackError(message)
    key = stack.load(state).secrets.signing_key
    typer.echo(sign(key, "operator", scopes, timedelta(hours=hours), clock.now()))


def env(state: State = None) -> None:
    """Print the running stack's addresses and tokens, as shell variables: eval "$(tillstream env)"."""
    running = stack.load(state)
    processes = stack.record(running.state).processes
    variables = {
        "KAFKA": running.kafka,
        **{name.upper(): running.url(name) for name in SERVICES if name in processes},
        "TOKEN": _token(running, _DAILY),
    }
    if "emission" in processes:
        variables["CONSOLE"] = running.url("emission")
        variables["CONSOLE_LOGIN"] = "admin"
        variables["CONSOLE_PASSWORD"] = running.secrets.admin_password
    for name, value in variables.items():
        typer.echo(f"export {name}={shlex.quote(value)}")


def _token(running: stack.Stack, scopes: Sequence[Scope]) -> str:
    key = running.secrets.signing_key
    return sign(key, "operator", scopes, timedelta(hours=8), clock.now())


@letters_app.command("list")
def list_letters(
    state: State = None,
    topic: Topic = None,
    most: Annotated[int, typer.Option("-n", min=1, help="How many, the newest.")] = 50,
) -> None:
    """Show dead letters: why, and where they came from."""
    found = asyncio.run(dead_letters.letters(stack.load(state).kafka, _known(topic)))
    table = Table("origin", "event", "reason", "detail", "sent again")
    for letter in found[-most:]:
        again = "yes" if letter.retried else ""
        table.add_row(letter.origin, letter.event_id, letter.reason, letter.detail, again)
    _console.print(table)
    _console.print(f"{len(found)} dead letters.")


@letters_app.command("retry")
def retry_letters(
    state: State = None,
    topic: Topic = None,
    reason: Annotated[str | None, typer.Option(help="With this reason only.")] = None,
    event: Annotated[str | None, typer.Option(help="With this event id only.")] = None,
) -> None:
    """Send dead letters to their topics again, once what was wrong has been mended."""
    kafka = stack.load(state).kafka
    sent = asyncio.run(dead_letters.retry(kafka, _known(topic), reason, event))
    _console.print(f"{sent} sent again.")


def _known(topic: str | None) -> str | None:
    if topic is not None and topic not in BY_NAME:
        message = f"--topic {topic} is none of {', '.join(BY_NAME)}"
        raise StackError(message)
    return topic
