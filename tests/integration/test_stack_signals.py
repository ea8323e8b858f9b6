"""The commands themselves, ended by Ctrl-C or a service manager: no process stays behind."""

import importlib.util
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.local import stack
from deploy.local.services import ROOT
from deploy.local.state import StateDirectory
from tests.waiting import until

_SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
_WITHIN_S = 120.0

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a command of ``tillstream`` with a state directory of its own below ``tmp_path``."""
    started = []

    def command(*arguments: str) -> subprocess.Popen[str]:
        own = {"TILLSTREAM_STATE": str(tmp_path / "state")}
        kept = {k: v for k, v in os.environ.items() if not k.startswith("TILLSTREAM_")}
        process = subprocess.Popen(
            [sys.executable, "-m", "deploy.cli", *arguments],
            cwd=ROOT,
            env={**kept, **own},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            # A hang-up is heeded unless it was ignored from the start, as it is under nohup.
            preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),  # noqa: PLW1509
        )
        started.append(process)
        return process

    yield command
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
    stack.down(tmp_path / "state", delete=True)


def _processes_of(directory: Path) -> list[str]:
    """The command lines of all processes that name the directory, of whichever user."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if f"{directory}/" in f"{line}/".replace(" ", "/"):
            found.append(line)
    return found


async def _runs(state: Path, process: str, *, ready: bool) -> None:
    async def shown() -> bool:
        known = stack.record(state).processes.get(process)
        return known is not None and (known.state == "ready" if ready else bool(known.identity))

    await until(shown, within_s=_WITHIN_S, what=f"{process} runs")


async def _ends(process: subprocess.Popen[str], state: Path) -> None:
    async def ended() -> bool:
        return process.poll() is not None

    await until(ended, within_s=_WITHIN_S, what="the command's end")
    assert process.returncode == 130
    assert _processes_of(state) == []
    assert "Traceback" not in process.communicate()[0]
    assert stack.record(state).phase == "down"


@pytest.mark.parametrize("number", _SIGNALS)
async def test_a_start_that_is_interrupted_leaves_nothing(
    start: Start, tmp_path: Path, number: signal.Signals
) -> None:
    up = start("up", "--only=kafka")
    await _runs(tmp_path / "state", "kafka", ready=False)
    assert _processes_of(tmp_path / "state")
    up.send_signal(number)
    await _ends(up, tmp_path / "state")


@pytest.mark.slow
@pytest.mark.skipif(
    importlib.util.find_spec("pyarrow") is None, reason="the demo's data set is an extra"
)
@pytest.mark.parametrize(
    ("number", "process", "ready"),
    [
        (signal.SIGINT, "kafka", False),
        (signal.SIGTERM, "analytics", True),
        (signal.SIGINT, "analytics", True),
    ],
)
async def test_a_demo_that_is_interrupted_leaves_nothing(
    start: Start, tmp_path: Path, number: signal.Signals, process: str, ready: bool
) -> None:
    demo = start("demo", "--baskets=1000")
    state = StateDirectory(tmp_path / "state").demo
    await _runs(state, process, ready=ready)
    demo.send_signal(number)
    await _ends(demo, state)


@pytest.mark.slow
@pytest.mark.skipif(
    importlib.util.find_spec("pyarrow") is None, reason="the demo's data set is an extra"
)
async def test_what_a_killed_demo_leaves_is_ended_by_down(start: Start, tmp_path: Path) -> None:
    demo = start("demo", "--baskets=1000")
    state = StateDirectory(tmp_path / "state").demo
    await _runs(state, "kafka", ready=False)
    demo.kill()
    down = start("down")
    assert "Stopped." in down.communicate(timeout=_WITHIN_S)[0]
    assert _processes_of(state) == []
