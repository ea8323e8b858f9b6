"""Logs: one JSON object per line on stderr, ours and the libraries' alike."""

import logging
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any

import structlog
from structlog.typing import Processor

_FRAMES = 12
# These say on INFO what our own metrics and logs already say.
_TALKATIVE = ("aiokafka", "faust", "httpx", "mode", "uvicorn.access")


def configure(level: str, service: str) -> None:
    """Send every log record of this process to stderr as JSON with ``service``, from ``level`` up."""
    common: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        _named_service(service),
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _exception,
    ]
    structlog.configure(
        processors=[*common, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=common,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


def _named_service(service: str) -> Processor:
    def add(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event.setdefault("service", service)
        return event

    return add


def _exception(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """``exc_info`` as types, places and the first lines of messages.

    The further lines of PostgreSQL's and pydantic's messages quote values, which may be personal.
    """
    info = event.pop("exc_info", None)
    if info is True:
        info = sys.exc_info()
    if isinstance(info, BaseException):
        info = (type(info), info, info.__traceback__)
    if not isinstance(info, tuple) or info[1] is None:
        return event
    event["exception"] = [_described(error) for error in _chain(info[1])]
    return event


def _chain(error: BaseException | None) -> list[BaseException]:
    chain: list[BaseException] = []
    while error is not None and error not in chain:
        chain.append(error)
        if isinstance(error, BaseExceptionGroup):
            chain.extend(error.exceptions)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return chain


def _described(error: BaseException) -> dict[str, Any]:
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    return {
        "type": f"{type(error).__module__}.{type(error).__qualname__}",
        "message": (str(error).splitlines() or [""])[0],
        "frames": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }
