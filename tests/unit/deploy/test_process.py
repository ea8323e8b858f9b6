"""What children write."""

from pathlib import Path

import pytest

from deploy.local import process


def test_a_log_that_is_being_written_does_not_grow_without_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One older is kept, and the writer goes on."""
    monkeypatch.setattr(process, "LOG_MAX_BYTES", 10)
    log = tmp_path / "echo.log"
    with log.open("ab", buffering=0) as writer:
        writer.write(b"short\n")
        process.cut(log)
        assert log.read_text() == "short\n"
        writer.write(b"and longer\n")
        process.cut(log)
        writer.write(b"new\n")
    assert log.read_text() == "new\n"
    assert (tmp_path / "echo.log.1").read_text() == "short\nand longer\n"
