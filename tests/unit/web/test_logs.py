"""Logs: JSON lines that keep values of personal data out."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from shared.logs import configure


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def _lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_our_logs_and_the_libraries_are_json_lines(capsys: pytest.CaptureFixture[str]) -> None:
    configure("INFO", "emission")
    structlog.get_logger().info("posted", emission_id="e1")
    logging.getLogger("some.library").warning("slow %s", "broker")
    ours, theirs = _lines(capsys)
    assert ours["event"] == "posted"
    assert ours["emission_id"] == "e1"
    assert theirs["event"] == "slow broker"
    assert ours["service"] == theirs["service"] == "emission"
    assert theirs["level"] == "warning"


def test_the_level_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    configure("WARNING", "emission")
    structlog.get_logger().info("quiet")
    logging.getLogger("aiokafka").info("quiet")
    assert _lines(capsys) == []


def test_an_exception_shows_types_and_places_but_not_quoted_values(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure("INFO", "emission")
    try:
        try:
            message = "duplicate key\nDETAIL: Key (customer_id)=(ann) exists"
            raise ValueError(message)
        except ValueError as error:
            outer = "could not store"
            raise RuntimeError(outer) from error
    except RuntimeError:
        structlog.get_logger().exception("failed")
    (line,) = _lines(capsys)
    outermost, cause = line["exception"]
    assert outermost["type"] == "builtins.RuntimeError"
    assert cause["message"] == "duplicate key"
    assert any("test_logs.py" in frame for frame in cause["frames"])
    assert "(ann)" not in json.dumps(line)
