"""The embedded stack: it starts once, comes back from anything, and leaves nothing behind."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
import httpx
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from deploy.local import kafka, services, stack
from deploy.local.child import Board, Child
from deploy.local.errors import StackError
from deploy.local.identity import Identity
from deploy.local.postgres import reachable
from deploy.local.process import Command
from deploy.local.services import ROOT
from deploy.local.stack import Stack
from deploy.local.state import Record, StateDirectory
from shared import clock

_WAIT_S = 120.0  # the machine may be busy
_POLL_S = 0.02
_TOPIC = "checkout.sales.v1"
_STAND_IN = """
import json, os, http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        mine = {k: v for k, v in os.environ.items() if k.startswith("TILLSTREAM_")}
        body = json.dumps(mine).encode()
        self.send_response(200)
        self.send_header("X-Tillstream-Instance", os.environ["TILLSTREAM_INSTANCE"])
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass
port = int(os.environ["TILLSTREAM_HTTP_PORT"])
http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
"""


def _until(condition: Callable[[], bool], what: str) -> None:
    deadline = clock.monotonic() + _WAIT_S
    while not condition():
        assert clock.monotonic() < deadline, f"waited in vain for {what}"
        threading.Event().wait(_POLL_S)


def _identities(state: Path) -> list[Identity]:
    record = stack.record(state)
    everything = [record.supervisor, *(each.identity for each in record.processes.values())]
    return [identity for identity in everything if identity is not None]


def _gone(identities: list[Identity]) -> bool:
    return not any(identity.alive() for identity in identities)


def _signal(identity: Identity | None, number: signal.Signals) -> None:
    assert identity is not None
    os.kill(identity.pid, number)


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    """A state directory of one's own, gone afterwards with all that ran in it."""
    path = tmp_path / "state"
    yield path
    stack.down(path, delete=True)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Both servers and a stand-in for a service."""
    directory = tmp_path_factory.mktemp("running")
    (directory / "stand_in.py").write_text(_STAND_IN)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(directory))
        yield stack.up(directory / "state", services=["echo=stand_in"])
    stack.down(directory / "state", delete=True)


def _again_ready(running: Stack, process: str, before: int) -> Callable[[], bool]:
    return lambda: running.ready(process, other_than=before)


def test_up_is_idempotent(running: Stack) -> None:
    """The second one finds the same processes."""
    before = _identities(running.state)
    again = stack.up(running.state, services=["echo=stand_in"])
    assert again == running
    assert _identities(running.state) == before


def test_a_process_that_is_missing_is_named(running: Stack) -> None:
    """Instead of a stack that silently lacks it."""
    with pytest.raises(StackError, match="without emission"):
        stack.up(running.state, only=["kafka", "postgres", "emission"])


def test_a_service_gets_its_settings_and_no_more(running: Stack) -> None:
    """No administrator's account, no signing key."""
    given = httpx.get(f"{running.url('echo')}/").json()
    assert given["TILLSTREAM_DATABASE"] == running.database("echo")
    assert given["TILLSTREAM_KAFKA"] == running.kafka
    assert not {"TILLSTREAM_SIGNING_KEY", "TILLSTREAM_POSTGRES"} & set(given)


async def test_a_service_reaches_its_own_database_only(running: Stack) -> None:
    """And may not change its schema."""
    other = running.database("evaluator").removesuffix("/evaluator") + "/emission"
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await asyncpg.connect(other)
    connection = await asyncpg.connect(running.database("evaluator"))
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute("create table mine (a int)")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute("delete from migrations")
    await connection.close()


def test_a_killed_service_comes_back(running: Stack) -> None:
    """As often as it is killed: that is nothing the service did."""
    for _ in range(7):
        before = running.pid("echo")
        os.kill(before, signal.SIGKILL)
        _until(_again_ready(running, "echo", before), "the service")
    assert httpx.get(f"{running.url('echo')}/readyz").status_code == 200


async def _produce(bootstrap: str) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all")
    await producer.start()
    await producer.send_and_wait(_TOPIC, b"sold", partition=0)
    await producer.stop()


async def _consume(bootstrap: str) -> bytes | None:
    consumer = AIOKafkaConsumer(
        _TOPIC, bootstrap_servers=bootstrap, auto_offset_reset="earliest", group_id=None
    )
    await consumer.start()
    try:
        record = await asyncio.wait_for(consumer.getone(), _WAIT_S)
    finally:
        await consumer.stop()
    value: bytes | None = record.value
    return value


async def test_killed_servers_come_back_with_their_data(running: Stack) -> None:
    """On the same ports."""
    await _produce(running.kafka)
    admin = await asyncpg.connect(running.postgres)
    await admin.execute("create table kept as select 42 as answer")
    before = {name: running.pid(name) for name in ("kafka", "postgres")}
    for pid in before.values():
        os.kill(pid, signal.SIGKILL)
    for name, pid in before.items():
        await asyncio.to_thread(_until, _again_ready(running, name, pid), name)
    assert await _consume(running.kafka) == b"sold"
    admin = await asyncpg.connect(running.postgres)
    assert await admin.fetchval("select answer from kept") == 42
    await admin.execute("drop table kept")
    await admin.close()


def test_nothing_outlives_a_killed_supervisor(running: Stack) -> None:
    """And the next start works, on the same ports, with the data as they were."""
    before = _identities(running.state)
    assert len(before) == 4
    _signal(stack.record(running.state).supervisor, signal.SIGKILL)
    _until(lambda: _gone(before), "the orphans' end")
    again = stack.up(running.state, services=["echo=stand_in"])
    assert (again.kafka, again.postgres) == (running.kafka, running.postgres)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_supervisor_leaves_nothing(state: Path, number: signal.Signals) -> None:
    """Whether by a service manager or by Ctrl-C."""
    stack.up(state, only=["postgres"])
    before = _identities(state)
    _signal(stack.record(state).supervisor, number)
    _until(lambda: _gone(before), "the end")
    assert stack.record(state).phase == "down"
    assert stack.down(state) is False


def test_a_busy_port_is_avoided(state: Path) -> None:
    """Last time's port is used again unless somebody else has it by now."""
    first = stack.up(state, only=["postgres"])
    port = stack.record(state).ports["postgres"]
    stack.down(state)
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        second = stack.up(state, only=["postgres"])
        assert stack.record(state).ports["postgres"] != port
    assert second.secrets == first.secrets


def test_what_an_interrupted_start_left_is_recovered(state: Path) -> None:
    """A half-made cluster, a record of processes long gone, a pid file that names somebody else."""
    StateDirectory(state).prepare()
    half = state / "postgres" / "initialising"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18")
    (state / "postgres" / "data").mkdir()
    stack.up(state, only=["postgres"])
    supervisor = stack.record(state).supervisor
    _signal(supervisor, signal.SIGKILL)
    assert supervisor is not None
    _until(lambda: not supervisor.alive(), "its end")
    pid_file = (state / "postgres" / "data").resolve() / "postmaster.pid"
    _until(lambda: not stack.record(state).leftovers, "the orphans' end")
    pid_file.write_text(f"{os.getpid()}\n{state}\n0\n1\n\n\n")
    stack.up(state, only=["postgres"])
    assert stack.record(state).processes["postgres"].restarts == 0


async def test_a_half_formatted_kafka_is_recovered(state: Path) -> None:
    """Its messages are still there, and so are its topics."""
    StateDirectory(state).prepare()
    (state / "kafka" / "data").mkdir()
    first = await asyncio.to_thread(stack.up, state, ["kafka"])
    await _produce(first.kafka)
    await asyncio.to_thread(stack.down, state)
    (state / "kafka" / "data" / "meta.properties").unlink()
    second = await asyncio.to_thread(stack.up, state, ["kafka"])
    assert await _consume(second.kafka) == b"sold"


async def test_a_process_that_keeps_crashing_is_given_up(tmp_path: Path) -> None:
    """With its log's place and last lines."""
    directory = StateDirectory(tmp_path)
    directory.prepare()

    async def never() -> bool:
        return False

    async def always() -> bool:
        return True

    command = Command(
        "broken", ["/bin/sh", "-c", "echo I can not; exit 3"], never, environment={"PATH": "/bin"}
    )
    board = Board(directory, Record(), lambda _: None)
    with pytest.raises(StackError, match=r"(?s)broken ended 6 times.*broken\.log.*I can not"):
        await Child(command, directory.log("broken"), board, always).run()


def test_an_unusable_state_directory_is_explained(tmp_path: Path) -> None:
    """In one line, without a traceback, with exit code 1."""
    (tmp_path / "file").write_text("")
    result = subprocess.run(
        [sys.executable, "-m", "deploy.cli", "up", "--state", str(tmp_path / "file" / "state")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=_WAIT_S,
        check=False,
    )
    assert result.returncode == 1
    assert "not writable" in result.stderr
    assert "Traceback" not in result.stderr


def test_without_a_network_the_first_start_says_so(state: Path, tmp_path: Path) -> None:
    """The jars can't be had."""
    nowhere = {"HTTPS_PROXY": "http://127.0.0.1:9", "XDG_CACHE_HOME": str(tmp_path / "cache")}
    result = subprocess.run(
        [sys.executable, "-m", "deploy.cli", "up", "--only=kafka", "--state", str(state)],
        cwd=ROOT,
        env={**os.environ, **nowhere, "https_proxy": nowhere["HTTPS_PROXY"]},
        capture_output=True,
        text=True,
        timeout=_WAIT_S * 2,
        check=False,
    )
    assert result.returncode == 1
    assert "check the network" in result.stderr
    assert "Traceback" not in result.stderr


def test_it_runs_on_servers_of_ones_own(
    tmp_path: Path, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a deployment would: only the services are ours, in databases and topics made there."""
    theirs = stack.up(tmp_path / "theirs", only=["kafka", "postgres"])
    try:
        monkeypatch.setenv("TILLSTREAM_KAFKA", theirs.kafka)
        monkeypatch.setenv("TILLSTREAM_POSTGRES", theirs.postgres)
        ours = stack.up(state, services=["analytics"])
        assert set(stack.record(state).processes) == {"analytics"}
        assert (ours.kafka, ours.postgres) == (theirs.kafka, theirs.postgres)
        answer = httpx.get(f"{ours.url('analytics')}/readyz", trust_env=False)
        assert answer.status_code == httpx.codes.OK
        assert stack.down(state)
        assert stack.load(tmp_path / "theirs").ready("kafka")
    finally:
        stack.down(tmp_path / "theirs", delete=True)


async def test_what_answers_on_a_port_may_be_somebody_elses(running: Stack) -> None:
    """Then it is not ready, whatever it says."""
    theirs = f"echo-{running.secrets.id}"
    assert await services.answers(running.url("echo"), theirs)
    assert not await services.answers(running.url("echo"), "echo-another")
    assert await kafka.answers(running.kafka, running.secrets.kafka_cluster)
    assert not await kafka.answers(running.kafka, "another")


def test_a_service_fails_at_once_when_its_port_is_busy(running: Stack) -> None:
    """Before it touches anything else: these servers are away."""
    settings = {
        "TILLSTREAM_KAFKA": "127.0.0.1:9",
        "TILLSTREAM_DATABASE": "postgresql://127.0.0.1:9/none",
        "TILLSTREAM_HTTP_PORT": running.url("echo").rsplit(":")[-1],
        "TILLSTREAM_VERIFY_KEY": running.secrets.verify_key,
    }
    result = subprocess.run(
        [sys.executable, "-m", "services.analytics"],
        cwd=ROOT,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=_WAIT_S,
        check=False,
    )
    assert result.returncode == 1
    assert "can't listen" in result.stderr.splitlines()[-1]


def test_two_stacks_started_at_once_both_come_up(tmp_path: Path) -> None:
    """On different ports, though both prefer the same."""
    states = [tmp_path / "one", tmp_path / "two"]
    try:
        with ThreadPoolExecutor() as threads:
            one, two = threads.map(lambda state: stack.up(state, ["postgres", "kafka"]), states)
        ports = [set(stack.record(each.state).ports.values()) for each in (one, two)]
        assert not ports[0] & ports[1]
    finally:
        for state in states:
            stack.down(state, delete=True)


def _python_of_everybody() -> Path | None:
    """A Python of our version that other users can run: our own may lie in root's home."""
    candidates = [sys.executable, "/usr/local/bin/python3.11", "/usr/bin/python3.11"]
    found = [Path(name) for name in candidates if Path(name).exists()]
    return next((path for path in found if reachable(path.resolve())), None)


@pytest.mark.skipif(
    os.geteuid() != 0 or _python_of_everybody() is None or not reachable(ROOT),
    reason="needs root, and a Python that other users can run",
)
def test_it_runs_as_another_user_than_root(tmp_path: Path) -> None:
    """PostgreSQL then runs as that user."""
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("setpriv is not installed")
    home = Path("/tmp") / f"tillstream-{os.getpid()}"  # tmp_path is root's alone
    home.mkdir(mode=0o755)
    shutil.chown(home, "nobody")
    packages = sysconfig.get_path("purelib")
    python = str(_python_of_everybody())
    command = [setpriv, "--reuid=nobody", "--clear-groups", python, "-m", "deploy.cli"]
    options = ["--state", str(home / "state")]
    try:
        for arguments in (["up", "--only=postgres"], ["down"]):
            subprocess.run(
                [*command, *arguments, *options],
                cwd=ROOT,
                env={
                    "PATH": os.environ["PATH"],
                    "HOME": str(home),
                    "PYTHONPATH": f"{ROOT}:{packages}",
                },
                check=True,
                timeout=_WAIT_S,
            )
    finally:
        shutil.rmtree(home)
