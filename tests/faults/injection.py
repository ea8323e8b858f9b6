"""Carries faults out on the processes of a running stack, and waits until what was hit is ready again."""

import asyncio
import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg

from deploy.local import stack as local
from deploy.local.stack import Stack
from shared.outbox import _LOCK as RELAY_LOCK
from tests.faults import sockets
from tests.faults.schedule import Fault
from tests.waiting import until

EVALUATORS = ("evaluator", "evaluator2")
_READY_WITHIN_S = 240
_AWAY = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError)


@dataclass(frozen=True)
class Injector:
    """What can be done to the processes of a stack."""

    stack: Stack
    # PostgreSQL's sessions that are stopped outlive its first process and keep it from starting again, until
    # the supervisor gives up: to kill it and to pause it take turns.
    _postgres: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def strike(self, together: Sequence[Fault]) -> None:
        """Carry faults out at the same moment; returns once all that they hit is ready again."""
        await asyncio.gather(*map(self._strike, together))

    async def _strike(self, fault: Fault) -> None:
        how, what = fault.kind.split()
        match how, what:
            case "kill", "relay":
                await self._kill(await self._relay_holder())
            case "kill", "backend":
                await self._kill_backend()
            case "kill", "postgres":
                async with self._postgres:
                    await self._kill(what)
            case "kill", _:
                await self._kill(what)
            case "pause", "postgres":
                async with self._postgres:
                    await self._pause(what, fault.seconds)
            case "pause", _:
                await self._pause(what, fault.seconds)
            case "cut", "relay":
                await self._end_relay_session()
            case "cut", "tills":
                sockets.cut(os.getpid(), self._ports["kafka"])
            case _:
                for name in EVALUATORS:
                    sockets.cut(await self._pid(name), self._ports[what])

    @property
    def _ports(self) -> dict[str, int]:
        return local.record(self.stack.state).ports

    async def _pid(self, name: str) -> int:
        """Its pid, once it is ready: another fault may have hit it at the same moment."""
        await self._ready(name, 0)
        return self.stack.pid(name)

    async def _ready(self, name: str, other_than: int) -> None:
        async def ready() -> bool:
            return self.stack.ready(name, other_than)

        await until(ready, within_s=_READY_WITHIN_S, what=f"{name} is ready")

    async def _kill(self, name: str) -> None:
        before = await self._pid(name)
        os.kill(before, signal.SIGKILL)
        await self._ready(name, before)

    async def _pause(self, name: str, seconds: float) -> None:
        pid = await self._pid(name)
        # PostgreSQL's sessions are processes of their own: stopping the first stops only new ones.
        with _stopped([pid, *_children(pid)]):
            await asyncio.sleep(seconds)

    async def _kill_backend(self) -> None:
        """PostgreSQL ends all sessions when one is killed, and recovers as after a crash."""
        connection = await self._connected()

        async def session() -> int:
            pid: int | None = await connection.fetchval(
                "select pid from pg_stat_activity"
                " where usename = 'evaluator' and pid <> pg_backend_pid()"
                " order by state = 'active' desc, state_change desc limit 1"
            )
            return pid or 0

        # After another fault at the same moment the evaluators may not have come back yet.
        pid = await until(session, within_s=_READY_WITHIN_S, what="an evaluator has a session")
        os.kill(pid, signal.SIGKILL)

        async def ended() -> bool:
            try:
                await connection.execute("select 1", timeout=1)
            except _AWAY:
                return True
            return False

        await until(ended, within_s=_READY_WITHIN_S, what="PostgreSQL ends its sessions")
        await (await self._connected()).close()

    async def _end_relay_session(self) -> None:
        connection = await self._connected()
        await connection.execute(_END_RELAYS, RELAY_LOCK)
        await connection.close()

    async def _relay_holder(self) -> str:
        """The evaluator whose relay has its turn."""

        async def holder() -> str | None:
            connection = await self._connected()
            port = await connection.fetchval(_RELAY_PORT, RELAY_LOCK)
            await connection.close()
            for name in EVALUATORS:
                pid = await self._pid(name)
                if any(found.local_port == port for found in sockets.connections(pid)):
                    return name
            return None

        return await until(holder, within_s=_READY_WITHIN_S, what="a relay has its turn") or ""

    async def _connected(self) -> "asyncpg.Connection[asyncpg.Record]":
        """A connection to PostgreSQL, once it takes one."""

        async def connect() -> "asyncpg.Connection[asyncpg.Record] | None":
            try:
                return await asyncpg.connect(self.stack.postgres, timeout=2)
            except _AWAY:
                return None

        found = await until(connect, within_s=_READY_WITHIN_S, what="PostgreSQL takes connections")
        assert found is not None
        return found


# The session that holds the relays' advisory lock.
_RELAY_PORT = """
select a.client_port from pg_locks l join pg_stat_activity a using (pid)
where l.locktype = 'advisory' and l.granted and l.objid::bigint = $1 and a.datname = 'evaluator'
"""
_END_RELAYS = """
select pg_terminate_backend(a.pid) from pg_locks l join pg_stat_activity a using (pid)
where l.locktype = 'advisory' and l.granted and l.objid::bigint = $1 and a.datname = 'evaluator'
"""


@contextmanager
def _stopped(pids: Sequence[int]) -> Iterator[None]:
    for pid in pids:
        _signal(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            _signal(pid, signal.SIGCONT)


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:  # it has ended meanwhile: another fault came beside
        return


def _children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return [int(child) for task in tasks for child in (task / "children").read_text().split()]
