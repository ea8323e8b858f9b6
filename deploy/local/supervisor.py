"""The process that starts all others, restarts what crashes, and leaves nothing behind."""

import argparse
import asyncio
import contextlib
import fcntl
import logging
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

import typer

from deploy.local import jars, kafka, postgres, process, provision, services
from deploy.local.child import Board, Child, Gate, Report
from deploy.local.errors import StackError, explain, explained, require_python
from deploy.local.identity import Identity
from deploy.local.kafka import Kafka
from deploy.local.ports import HOST, Claims, choose
from deploy.local.postgres import Postgres
from deploy.local.process import Command
from deploy.local.services import KAFKA, POSTGRES, Plan
from deploy.local.state import Process, Record, StateDirectory

_LEFTOVER_GRACE_S = 5.0
_CUT_LOGS_S = 60.0
_PREFERRED = {KAFKA: 19092, "controller": 19093, POSTGRES: 15432, **services.DEFAULT_PORTS}


class Supervisor:
    """Everything that one ``tillstream up`` runs."""

    def __init__(self, state: StateDirectory, plan: Plan, report: Report = typer.echo) -> None:
        """Nothing is started before ``run``."""
        self._state = state
        self._plan = plan
        self._secrets = state.secrets(plan.databases)
        last = state.read()
        self._claims = Claims()
        ports = choose(_preferred(plan), last.ports, self._claims.take)
        bootstrap = plan.own_kafka or f"{HOST}:{ports[KAFKA]}"
        record = Record(
            supervisor=Identity.of(os.getpid()),
            kafka=bootstrap if plan.own_kafka or KAFKA in plan.servers else "",
            postgres_port=ports[POSTGRES],
            # Also of what does not run this time: whoever comes back finds the old address.
            ports={**last.ports, **ports},
            processes={name: Process(name) for name in plan.names},
        )
        self._leftovers = last.leftovers
        self._board = Board(state, record, report)
        self._ports = ports
        self._bootstrap = bootstrap
        self._admin = plan.own_postgres or (
            f"postgresql://postgres:{self._secrets.postgres_password}"
            f"@{HOST}:{ports[POSTGRES]}/postgres"
        )
        self._children: list[Child] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def run(self) -> int:
        """Run until asked to stop (0) or until something can't be kept running (1)."""
        stopping = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, stopping.set)
        error = ""
        try:
            self._board.update()
            asked = asyncio.create_task(stopping.wait())
            work = asyncio.create_task(self._work())
            await asyncio.wait({asked, work}, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                work.result()
            work.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await work
        except StackError as problem:
            error = str(problem)
        except OSError as problem:
            error = str(explain(problem, self._state.path))
        except Exception as problem:  # noqa: BLE001 - whatever it is, no process may stay behind
            traceback.print_exc()
            error = f"internal error, see {self._state.log('supervisor')}: {problem!r}"
        await self._stop(error)
        return 1 if error else 0

    async def _work(self) -> None:
        for leftover in self._leftovers:
            self._board.say(f"ending a leftover of the last run (pid {leftover.pid})")
            await asyncio.to_thread(leftover.end, signal.SIGQUIT, _LEFTOVER_GRACE_S)
        await self._start(await self._servers(), self._always)
        await self._provision()
        await self._start(
            [self._service(each) for each in self._plan.services], self._servers_there
        )
        self._board.update(phase="ready")
        self._board.say("ready")
        self._tasks.append(asyncio.create_task(self._cut_logs()))
        await self._crash()

    async def _servers(self) -> list[Command]:
        """The commands of the servers, made ready to start: both at once, each takes seconds."""
        makers = {POSTGRES: self._postgres, KAFKA: self._kafka}
        return await asyncio.gather(
            *(asyncio.to_thread(makers[name]) for name in self._plan.servers)
        )

    def _postgres(self) -> Command:
        user = postgres.account()
        server = Postgres(
            postgres.home(self._state.postgres, user, self._secrets.id),
            self._state.logs,
            postgres.binaries(user),
            user,
            self._secrets.postgres_password,
            self._ports[POSTGRES],
        )
        self._board.say("preparing PostgreSQL")
        server.prepare()
        return server.command()

    def _kafka(self) -> Command:
        node = Kafka(
            self._state.kafka,
            self._state.logs,
            tuple(jars.ensure(self._board.say)),
            self._secrets.kafka_cluster,
            self._ports[KAFKA],
            self._ports["controller"],
        )
        self._board.say("preparing Kafka")
        node.prepare()
        return node.command()

    def _service(self, service: services.Service) -> Command:
        port = self._ports[service.name]
        environment = services.environment(
            service.role,
            self._secrets,
            kafka=self._bootstrap,
            admin=self._admin,
            ports={**self._ports, service.role: port},
            inherited=os.environ,
        )
        return service.command(environment, port)

    async def _start(self, commands: Sequence[Command], gate: Gate) -> None:
        """Start them side by side and wait until all are ready."""
        started = []
        for command in commands:
            child = Child(command, self._state.log(command.name), self._board, gate)
            self._children.append(child)
            self._tasks.append(asyncio.create_task(child.run()))
            started.append(child)
        if not started:
            return
        self._board.say(f"starting {', '.join(child.command.name for child in started)}")
        ready = asyncio.create_task(_all_ready(started))
        crash = asyncio.create_task(self._crash())
        try:
            await asyncio.wait({ready, crash}, return_when=asyncio.FIRST_COMPLETED)
            if crash.done():
                crash.result()
        finally:
            crash.cancel()
            ready.cancel()

    async def _crash(self) -> None:
        """Wait until a child is given up, and raise its error."""
        if not self._tasks:
            await asyncio.Event().wait()
        done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()

    async def _cut_logs(self) -> None:
        while True:
            await asyncio.sleep(_CUT_LOGS_S)
            for log in self._state.logs.glob("*.log"):
                try:
                    await asyncio.to_thread(process.cut, log)
                except OSError as error:  # no reason to end the stack
                    self._board.say(f"{log} could not be cut: {error.strerror}")

    async def _provision(self) -> None:
        if POSTGRES in self._plan.servers or self._plan.own_postgres:
            self._board.say("preparing the databases")
            if self._plan.own_postgres and not await postgres.answers(self._admin):
                msg = "PostgreSQL at TILLSTREAM_POSTGRES does not answer: start it first"
                raise StackError(msg)
            wanted = {name: self._secrets.databases[name] for name in self._plan.databases}
            embedded = self._plan.own_postgres is None
            await provision.databases(self._admin, wanted, embedded=embedded)
        if KAFKA in self._plan.servers or self._plan.own_kafka:
            self._board.say("creating the topics")
            if self._plan.own_kafka and not await kafka.answers(self._bootstrap):
                msg = f"no Kafka answers at TILLSTREAM_KAFKA ({self._bootstrap})"
                raise StackError(msg)
            await provision.topics(self._bootstrap)

    async def _always(self) -> bool:
        return True

    async def _servers_there(self) -> bool:
        """Whether both servers answer: a service started before that would crash for nothing."""
        cluster = None if self._plan.own_kafka else self._secrets.kafka_cluster
        return await postgres.answers(self._admin) and await kafka.answers(self._bootstrap, cluster)

    async def _stop(self, error: str) -> None:
        self._board.update(phase="stopping", error=error)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        servers = {child.command.name: child for child in self._children}
        kept = [servers.pop(name, None) for name in (KAFKA, POSTGRES)]
        # Services first: they commit what they hold while their servers are still there.
        await asyncio.gather(*(child.stop() for child in servers.values()))
        for child in kept:
            if child is not None:
                await child.stop()
        self._claims.release()
        self._board.update(phase="failed" if error else "down", supervisor=None)


async def _all_ready(children: Sequence[Child]) -> None:
    for child in children:
        await child.ready.wait()


def _preferred(plan: Plan) -> dict[str, int]:
    names = dict.fromkeys((KAFKA, "controller", POSTGRES, *(each.name for each in plan.services)))
    return {name: _PREFERRED.get(name, 0) for name in names}


def run(state: Path | None, plan: Plan, report: Report = typer.echo) -> int:
    """Be the supervisor of ``state`` until told to stop; returns the exit code."""
    require_python()
    # It logs every refused connection while we wait for Kafka to open its port.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    directory = StateDirectory(state)
    directory.prepare()
    with explained(directory.path), (directory.path / "lock").open("w") as lock:
        try:
            # Held as long as we live; the kernel lets go of it whatever ends us.
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            msg = f"a stack already runs in {directory.path}"
            raise StackError(msg) from error
        return asyncio.run(Supervisor(directory, plan, report).run())


def detach(
    state: Path, only: Sequence[str], named: Sequence[str] | None
) -> subprocess.Popen[bytes]:
    """Start the supervisor of ``state`` in the background."""
    log = StateDirectory(state).log("supervisor")
    process.rotate(log)
    arguments = ["--state", str(state), *(f"--only={name}" for name in only)]
    if named is not None:
        arguments += ["--services", ",".join(named)]
    with log.open("ab") as out:
        return subprocess.Popen(
            [sys.executable, "-m", "deploy.local.supervisor", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            cwd=services.ROOT,
            start_new_session=True,
        )


def main() -> int:
    """The background supervisor's entry point."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--services")
    options = parser.parse_args()
    named = None if options.services is None else [n for n in options.services.split(",") if n]
    try:
        return run(options.state, services.plan(options.only, named), typer.echo)
    except StackError as error:
        typer.echo(f"error: {error}", err=True)
        return 1


if __name__ == "__main__":
    raise SystemExit(main())
