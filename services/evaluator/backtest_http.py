"""Backtests over HTTP: asked for, run in a process of their own, looked at until they are done.

They are kept in memory, for a day: whoever asks again after a restart gets the same report.
"""

import asyncio
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Literal
from uuid import uuid4

import asyncpg
import msgspec
import structlog
from fastapi import APIRouter, Depends, Response

from services.evaluator.backtest.draft import Request
from services.evaluator.backtest.report import Progress
from services.evaluator.backtesting import prepare
from shared import clock
from shared.web.auth import require
from shared.web.body import json_body
from shared.web.problems import Problem

MOST_AT_ONCE = 2
_KEPT_SECONDS = 86_400
_MOST_KEPT = 100
_LONGEST_LINE = 64 * 2**20
_AGAIN_SECONDS = "10"
_EVERY_SECONDS = 60
_COMMAND = (sys.executable, "-m", "services.evaluator.backtesting")

log = structlog.get_logger()


class _Line(msgspec.Struct, frozen=True):
    """What the process says of its work."""

    done: int = 0
    total: int | None = None
    report: msgspec.Raw = msgspec.Raw(b"")
    error: str | None = None


_LINE = msgspec.json.Decoder(_Line)


@dataclass(slots=True)
class _Job:
    """A backtest; ``report`` is JSON."""

    backtest_id: str
    status: Literal["running", "done", "failed"] = "running"
    done: int = 0
    total: int | None = None
    report: bytes | None = None
    error: str | None = None
    ended_at: float | None = None
    task: asyncio.Task[None] | None = None

    def document(self) -> bytes:
        """``Progress`` as JSON."""
        fraction = 1.0 if self.status == "done" else self.done / max(self.total or 1, 1)
        shown: dict[str, object] = {
            "backtest_id": self.backtest_id,
            "status": self.status,
            "done": self.done,
            "total": self.total,
            "fraction": round(min(fraction, 1.0), 4),
        }
        if self.report is not None:
            shown["report"] = msgspec.Raw(self.report)
        if self.error is not None:
            shown["error"] = self.error
        return msgspec.json.encode(shown)

    def heed(self, line: _Line) -> None:
        """Take in what the process said."""
        if line.total is not None:
            self.done, self.total = line.done, line.total
        if line.error is not None:
            self.status, self.error = "failed", line.error
        if bytes(line.report):
            self.status, self.report = "done", bytes(line.report)
            self.done = self.total or self.done


@dataclass(slots=True)
class Backtests:
    """Runs at most ``MOST_AT_ONCE`` at a time, each in a process beside the evaluator's own."""

    pool: asyncpg.Pool
    database: str
    command: Sequence[str] = _COMMAND
    _jobs: dict[str, _Job] = field(default_factory=dict)

    async def start(self, request: Request) -> _Job:
        """Begin one. Raises ``InvalidMessageError`` (fields at fault), ``Problem`` (too many run)."""
        async with self.pool.acquire() as connection:
            await prepare(connection, request)
        running = [job for job in self._jobs.values() if job.status == "running"]
        if len(running) >= MOST_AT_ONCE:
            raise Problem(
                HTTPStatus.TOO_MANY_REQUESTS,
                "Too many backtests",
                f"{MOST_AT_ONCE} backtests are running: ask again when one is done.",
                headers={"Retry-After": _AGAIN_SECONDS},
            )
        job = _Job(str(uuid4()))
        self._jobs[job.backtest_id] = job
        job.task = asyncio.create_task(self._run(job, request.model_dump_json(by_alias=True)))
        return job

    def find(self, backtest_id: str) -> _Job:
        """A backtest. Raises ``Problem`` for one that is not known here."""
        job = self._jobs.get(backtest_id)
        if job is None:
            message = "No such backtest: they are kept for a day, and not over a restart."
            raise Problem(HTTPStatus.NOT_FOUND, "Not found", message)
        return job

    async def tend(self) -> None:
        """Forget old ones until cancelled; then end those that run."""
        try:
            while True:
                self._forget(clock.monotonic())
                await asyncio.sleep(_EVERY_SECONDS)
        finally:
            tasks = [job.task for job in self._jobs.values() if job.task and not job.task.done()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _forget(self, now: float) -> None:
        ended = [job for job in self._jobs.values() if job.ended_at is not None]
        for n, job in enumerate(reversed(ended)):
            if n >= _MOST_KEPT or now - (job.ended_at or now) > _KEPT_SECONDS:
                del self._jobs[job.backtest_id]

    async def _run(self, job: _Job, body: str) -> None:
        try:
            await self._follow(job, body)
        except (OSError, ValueError, msgspec.DecodeError):
            log.exception("backtest failed", backtest_id=job.backtest_id)
        if job.status == "running":
            job.status, job.error = "failed", "It ended early; the evaluator's log says why."
        job.ended_at = clock.monotonic()

    async def _follow(self, job: _Job, body: str) -> None:
        process = await asyncio.create_subprocess_exec(
            *self.command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "TILLSTREAM_DATABASE": self.database},
            limit=_LONGEST_LINE,
        )
        said, told = process.stdout, process.stdin
        if said is None or told is None:
            message = "the process has no pipes"
            raise ValueError(message)
        try:
            told.write(body.encode() + b"\n")
            async for line in said:
                job.heed(_LINE.decode(line))
            await process.wait()
        finally:
            if process.returncode is None:
                process.terminate()  # it ends its own processes
                await process.wait()


def routes(backtests: Backtests) -> APIRouter:
    """The routes of backtests."""
    router = APIRouter(prefix="/v1", dependencies=[Depends(require("campaigns:read"))])

    @router.post(
        "/backtests",
        status_code=HTTPStatus.ACCEPTED,
        response_model=Progress,
        responses={HTTPStatus.TOO_MANY_REQUESTS: {}},
        summary="Try a draft campaign on recorded receipts",
    )
    async def start(request: Request = Depends(json_body(Request))) -> Response:  # noqa: B008, FAST002
        job = await backtests.start(request)
        return Response(
            job.document(),
            HTTPStatus.ACCEPTED,
            {"Location": f"/v1/backtests/{job.backtest_id}"},
            "application/json",
        )

    @router.get(
        "/backtests/{backtest_id}",
        response_model=Progress,
        summary="How far a backtest is, and its report once it is done",
    )
    async def look(backtest_id: str) -> Response:
        return Response(backtests.find(backtest_id).document(), media_type="application/json")

    return router
