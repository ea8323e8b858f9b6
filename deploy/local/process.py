"""Starting a child that never outlives us, and ending it."""

import asyncio
import contextlib
import ctypes
import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)
LOG_MAX_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True)
class Command:
    """What to run and how it wants to be ended."""

    name: str
    arguments: Sequence[str | Path]
    ready: Callable[[], Awaitable[bool]]
    environment: Mapping[str, str] = field(default_factory=dict)
    address: str = ""
    user: str | None = None
    directory: Path | None = None
    ready_within_s: float = 60.0
    before: Callable[[], None] = lambda: None
    stop_signals: tuple[signal.Signals, ...] = (signal.SIGTERM,)
    stop_within_s: float = 10.0
    # What the kernel sends should we be killed ourselves: nothing may stay behind.
    orphan_signal: signal.Signals = signal.SIGKILL


async def spawn(command: Command, log: Path) -> asyncio.subprocess.Process:
    """Start ``command`` in a session of its own, so that a terminal's Ctrl-C reaches only us.

    Call it from the main thread: the kernel takes "parent" in PR_SET_PDEATHSIG to be the thread.
    """
    command.before()
    parent = os.getpid()

    def tie() -> None:
        # Runs after the change of user, which would clear the setting again.
        _LIBC.prctl(_PR_SET_PDEATHSIG, int(command.orphan_signal))
        if os.getppid() != parent:
            os._exit(1)

    account = pwd.getpwnam(command.user) if command.user else None
    rotate(log)
    with log.open("ab") as out:
        return await asyncio.create_subprocess_exec(
            *(str(argument) for argument in command.arguments),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=dict(command.environment),
            cwd=command.directory,
            start_new_session=True,
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=[] if account else None,
            preexec_fn=tie,
        )


async def stop(command: Command, process: asyncio.subprocess.Process) -> None:
    """End ``process``: its own signals first, each with its grace, then SIGKILL."""
    for number in command.stop_signals:
        if process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(number)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(process.wait()), command.stop_within_s)
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def rotate(log: Path) -> None:
    """Keep one older log once this one has grown large; nobody may be writing it."""
    if _large(log):
        log.replace(_older(log))


def cut(log: Path) -> None:
    """The same for one that is being written: its writers append, so they go on at its start."""
    if _large(log):
        shutil.copyfile(log, _older(log))
        os.truncate(log, 0)


def _large(log: Path) -> bool:
    return log.exists() and log.stat().st_size > LOG_MAX_BYTES


def _older(log: Path) -> Path:
    return log.with_suffix(".log.1")
