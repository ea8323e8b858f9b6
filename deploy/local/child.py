"""One supervised process with its restarts, and the board on which its state is shown."""

import asyncio
import signal
import threading
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from deploy.local import process
from deploy.local.errors import StackError, last_lines
from deploy.local.identity import Identity
from deploy.local.process import Command
from deploy.local.restart import Restarts
from deploy.local.state import Process, Record, StateDirectory
from shared import clock

_READY_POLL_S = 0.1
_KILLED_FROM_OUTSIDE = (-signal.SIGKILL, -signal.SIGTERM, -signal.SIGINT)

Report = Callable[[str], None]
Gate = Callable[[], Awaitable[bool]]


class Board:
    """The record of what runs, written out at every change."""

    def __init__(self, state: StateDirectory, record: Record, report: Report) -> None:
        """``report`` is told what is going on, in a few words."""
        self._state = state
        self._report = report
        self._lock = threading.RLock()  # servers are prepared in threads, which report too
        self.record = record

    def update(self, **changes: object) -> None:
        """Change fields of the record."""
        with self._lock:
            self.record = replace(self.record, **changes)  # type: ignore[arg-type]
            self._state.write(self.record)

    def say(self, message: str) -> None:
        """What is going on now."""
        self._report(message)
        self.update(message=message)

    def show(self, name: str, **changes: object) -> None:
        """Change fields of one process."""
        with self._lock:
            known = self.record.processes.get(name, Process(name))
            changed = replace(known, **changes)  # type: ignore[arg-type]
            self.update(processes={**self.record.processes, name: changed})


class Child:
    """One process and its restarts."""

    def __init__(self, command: Command, log: Path, board: Board, gate: Gate) -> None:
        """``gate`` says whether what the child depends on is there."""
        self.command = command
        self._log = log
        self._board = board
        self._gate = gate
        self._process: asyncio.subprocess.Process | None = None
        self._was_ready = False
        self.ready = asyncio.Event()

    async def run(self) -> None:
        """Keep it running; returns never, raises ``StackError`` when it gives up."""
        restarts = Restarts()
        while True:
            while restarts.count and not await self._gate():
                await asyncio.sleep(_READY_POLL_S)
            code = await self._once(restarts)
            outside = code in _KILLED_FROM_OUTSIDE and self._was_ready
            if outside or not await self._gate():
                restarts = restarts.interrupted()
            else:
                restarts = restarts.crashed(clock.monotonic())
            if restarts.gives_up:
                msg = f"{self.command.name} {restarts.summary}, {self._where()}"
                raise StackError(msg)
            self._board.show(
                self.command.name, state="restarting", restarts=restarts.count, identity=None
            )
            await asyncio.sleep(restarts.delay_s)

    async def _once(self, restarts: Restarts) -> int:
        self._was_ready = False
        started = await process.spawn(self.command, self._log)
        self._process = started
        self._board.show(
            self.command.name,
            state="starting",
            address=self.command.address,
            restarts=restarts.count,
            identity=Identity.of(started.pid),
        )
        watch = asyncio.create_task(self._watch())
        ended = asyncio.create_task(started.wait())
        try:
            await asyncio.wait({watch, ended}, return_when=asyncio.FIRST_COMPLETED)
            if watch.done():
                watch.result()
            return await ended
        finally:
            watch.cancel()
            self.ready.clear()

    async def _watch(self) -> None:
        """Say so once the child is ready; end it if that takes too long."""
        deadline = clock.monotonic() + self.command.ready_within_s
        while not await self.command.ready():
            if clock.monotonic() > deadline:
                waited = f"{self.command.ready_within_s:.0f} s"
                msg = f"{self.command.name} was not ready within {waited}, {self._where()}"
                raise StackError(msg)
            await asyncio.sleep(_READY_POLL_S)
        self._was_ready = True
        self.ready.set()
        self._board.show(self.command.name, state="ready")

    def _where(self) -> str:
        return f"see {self._log}:\n{last_lines(self._log)}"

    async def stop(self) -> None:
        """End it."""
        if self._process is not None:
            await process.stop(self.command, self._process)
        self._board.show(self.command.name, state="stopped", identity=None)
