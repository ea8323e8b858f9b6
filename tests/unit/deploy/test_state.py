"""The state directory's files."""

import stat
from pathlib import Path

import pytest

from deploy.local.errors import StackError
from deploy.local.identity import Identity
from deploy.local.jars import parse_lock
from deploy.local.state import Process, Record, StateDirectory


def _directory(path: Path) -> StateDirectory:
    directory = StateDirectory(path / "state")
    directory.prepare()
    return directory


def test_secrets_are_made_once(tmp_path: Path) -> None:
    """A database that is new gets a password; nothing else ever changes."""
    directory = _directory(tmp_path)
    first = directory.secrets(["emission"])
    second = directory.secrets(["emission", "evaluator"])
    assert second.databases["emission"] == first.databases["emission"]
    assert second.signing_key == first.signing_key
    assert directory.secrets(["emission"]) == second
    assert first.admin_key.startswith("ts_")
    assert len(bytes.fromhex(first.code_key)) == 32


def test_only_the_owner_reads_secrets(tmp_path: Path) -> None:
    """Not the machine's other users."""
    directory = _directory(tmp_path)
    directory.secrets()
    mode = stat.S_IMODE((directory.path / "secrets.json").stat().st_mode)
    assert mode == 0o600


def test_the_record_comes_back_as_written(tmp_path: Path) -> None:
    """With the identities of its processes."""
    directory = _directory(tmp_path)
    one = Identity(4711, 99, "boot")
    record = Record(
        supervisor=one,
        phase="ready",
        ports={"kafka": 1},
        processes={"kafka": Process("kafka", "ready", "h:1", 2, one), "echo": Process("echo")},
    )
    directory.write(record)
    assert directory.read() == record


@pytest.mark.parametrize("content", ["", "{", "{}", "[]", '{"processes": 1}'])
def test_a_damaged_record_is_none(tmp_path: Path, content: str) -> None:
    """A power cut may leave anything; the next start goes on without it."""
    directory = _directory(tmp_path)
    (directory.path / "stack.json").write_text(content)
    assert not directory.read().alive


def test_damaged_secrets_are_an_error(tmp_path: Path) -> None:
    """New ones would make every posted code and the database unusable."""
    directory = _directory(tmp_path)
    (directory.path / "secrets.json").write_text("{")
    with pytest.raises(StackError, match="restore it from a backup"):
        directory.secrets()


def test_a_reused_pid_is_somebody_else() -> None:
    """The same pid with another start, or of another boot, is not our process."""
    init = Identity.of(1)
    assert init is not None
    assert init.alive()
    assert not Identity(init.pid, init.started + 1, init.boot).alive()
    assert not Identity(init.pid, init.started, "another").alive()
    assert Identity.of(2**22 + 1) is None


def test_the_lock_file_names_jars_and_checksums() -> None:
    """One a line; comments are skipped."""
    (jar,) = parse_lock("# jars\norg.example:thing_2.13:4.1.0 sha256:abc\n")
    assert (jar.name, jar.group, jar.sha256) == ("thing_2.13-4.1.0.jar", "org.example", "abc")
