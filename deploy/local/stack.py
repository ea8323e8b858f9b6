"""The stack as tests, benches and the command line use it: bring it up, look at it, end it."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local import supervisor
from deploy.local.errors import StackError, last_lines, require_python
from deploy.local.ports import HOST
from deploy.local.services import database_dsn, plan
from deploy.local.state import Record, Secrets, StateDirectory
from shared import clock

_POLL_S = 0.05
_START_WITHIN_S = 600.0  # the first start downloads
_STOP_WITHIN_S = 60.0
_LEFTOVER_GRACE_S = 5.0


@dataclass(frozen=True)
class Stack:
    """The addresses and secrets of a stack that runs in ``state``."""

    state: Path
    kafka: str
    postgres: str = field(repr=False)  # holds the password
    secrets: Secrets

    def database(self, service: str) -> str:
        """The DSN of ``service``'s own role on its own database."""
        return database_dsn(self.postgres, self.secrets, service)

    def url(self, service: str) -> str:
        """The address of ``service``'s HTTP server."""
        return f"http://{HOST}:{record(self.state).ports[service]}"

    def pid(self, process: str) -> int:
        """The pid ``process`` has now; raises ``StackError`` while it is between two lives."""
        known = record(self.state).processes.get(process)
        if known is None or known.identity is None:
            msg = f"{process} does not run"
            raise StackError(msg)
        return known.identity.pid

    def ready(self, process: str, other_than: int = 0) -> bool:
        """Whether ``process`` is ready, and has another pid than ``other_than``.

        After a kill, ``ready(name, pid)`` is true once its successor is ready.
        """
        known = record(self.state).processes.get(process)
        if known is None or known.identity is None or known.state != "ready":
            return False
        return known.identity.pid != other_than and known.identity.alive()


def record(state: Path | None = None) -> Record:
    """What runs, or ran last, in ``state``."""
    return StateDirectory(state).read()


def load(state: Path | None = None) -> Stack:
    """The stack that runs in ``state``; raises ``StackError`` if none does."""
    directory = StateDirectory(state)
    found = directory.read()
    if not found.alive or found.phase != "ready":
        msg = f"no stack is up in {directory.path}: run `tillstream up`"
        raise StackError(msg)
    return _stack(directory, found)


def up(
    state: Path | None = None,
    only: Sequence[str] = (),
    services: Sequence[str] | None = None,
    report: Callable[[str], None] = lambda _: None,
) -> Stack:
    """Start what is not running, wait until all is ready, and say where it is.

    ``only`` names the processes to run (all by default); ``services`` replaces the usual services,
    each as ``name`` or ``name=module``. Raises ``StackError`` if it can't be brought up.
    """
    require_python()
    wanted = plan(only, services)
    directory = StateDirectory(state)
    directory.prepare()
    found = directory.read()
    if not found.alive:
        child = supervisor.detach(directory.path, only, services)
        try:
            found = _wait(directory, child, report)
        except BaseException:  # Ctrl-C above all
            _abandon(directory, child)
            raise
    else:
        if missing := [name for name in wanted.names if name not in found.processes]:
            msg = (
                f"a stack without {', '.join(missing)} runs in {directory.path}:"
                " run `tillstream down` first"
            )
            raise StackError(msg)
        found = _wait(directory, None, report)
    return _stack(directory, found)


def down(state: Path | None = None, *, delete: bool = False) -> bool:
    """End what runs in ``state``, the demo's stack too; False if nothing did.

    ``delete`` removes the data as well. Raises ``StackError`` if that would delete what is not ours.
    """
    directory = StateDirectory(state)
    if delete and not directory.ours:
        msg = f"{directory.path} is no state directory of Tillstream: nothing was deleted"
        raise StackError(msg)
    running = False
    if directory.demo.is_dir():
        demo = StateDirectory(directory.demo)
        running = down(demo.path, delete=delete and demo.ours)
    running = _end(directory) or running
    if delete:
        directory.delete()
    return running


def _end(directory: StateDirectory) -> bool:
    found = directory.read()
    running = found.alive
    if found.supervisor is not None and running:
        found.supervisor.end(signal.SIGTERM, _STOP_WITHIN_S)
    for leftover in directory.read().leftovers:
        running = True
        leftover.end(signal.SIGQUIT, _LEFTOVER_GRACE_S)
    return running


def _abandon(directory: StateDirectory, child: subprocess.Popen[bytes]) -> None:
    """End a supervisor whose start is not waited for any longer, and all that it started."""
    child.terminate()
    deadline = clock.monotonic() + _STOP_WITHIN_S
    while child.poll() is None and clock.monotonic() < deadline:
        if directory.read().phase in ("down", "failed"):
            break  # all it started has ended; a download would go on for minutes
        time.sleep(_POLL_S)
    if child.poll() is None:
        # With what prepares a server; the servers have groups of their own and die with it.
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def _wait(
    directory: StateDirectory, child: subprocess.Popen[bytes] | None, report: Callable[[str], None]
) -> Record:
    deadline = clock.monotonic() + _START_WITHIN_S
    shown = ""
    while clock.monotonic() < deadline:
        ended = child is not None and child.poll() is not None
        found = directory.read()
        ours = child is None or (found.supervisor is not None and found.supervisor.pid == child.pid)
        if ours and found.alive and found.phase == "ready":
            return found
        if ours and found.alive and found.message != shown:
            shown = found.message
            report(shown)
        if ended or (child is None and not found.alive):
            raise StackError(_why(directory))
        time.sleep(_POLL_S)
    msg = f"not ready within {_START_WITHIN_S:.0f} s, see {directory.logs}"
    raise StackError(msg)


def _why(directory: StateDirectory) -> str:
    found = directory.read()
    if found.error:
        return found.error
    log = directory.log("supervisor")
    last = last_lines(log, 1).strip().removeprefix("error: ")
    return last or f"the supervisor ended before all was ready, see {log}"


def _stack(directory: StateDirectory, found: Record) -> Stack:
    secrets = directory.secrets()
    postgres = os.environ.get("TILLSTREAM_POSTGRES") or (
        f"postgresql://postgres:{secrets.postgres_password}@{HOST}:{found.postgres_port}/postgres"
    )
    return Stack(directory.path, found.kafka, postgres, secrets)
