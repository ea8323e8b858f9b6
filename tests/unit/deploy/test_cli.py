"""What the command line refuses, and what it tells."""

import json
from pathlib import Path

import pytest

from deploy import cli
from deploy.local.state import Record, StateDirectory


def _run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["tillstream", *arguments])
    monkeypatch.setattr(cli, "_heed_signals", lambda: None)  # pytest's stay
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0)


@pytest.mark.parametrize("count", ["0", "-1", "1.5", "٣", "²", "1" * 5_000, ""])
def test_a_number_of_baskets_is_a_number_from_one_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], count: str
) -> None:
    assert _run(monkeypatch, "demo", f"--baskets={count}") == 1
    assert "takes a number from 1 on" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["logs"], ["dead-letters", "list"]])
def test_no_lines_at_all_can_not_be_asked_for(
    monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    for count in ("0", "-3"):
        assert _run(monkeypatch, *command, "-n", count) == 2


def test_status_tells_why_the_stack_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    state = StateDirectory(tmp_path)
    state.prepare()
    state.write(Record(phase="failed", error="kafka ended 6 times"))
    assert _run(monkeypatch, "status", "--state", str(tmp_path)) == 1
    assert "error: kafka ended 6 times" in capsys.readouterr().err
    assert _run(monkeypatch, "status", "--json", "--state", str(tmp_path)) == 1
    assert json.loads(capsys.readouterr().out)["error"] == "kafka ended 6 times"


def test_a_state_directory_that_can_not_be_made_is_explained(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(monkeypatch, "up", "--state", "/proc/tillstream") == 1
    [line] = capsys.readouterr().err.splitlines()
    assert "set TILLSTREAM_STATE to a directory of your own" in line
