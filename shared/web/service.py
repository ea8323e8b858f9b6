"""The application that every service is: probes, metrics, limits, problems, OpenAPI; and its server."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from http import HTTPStatus
from types import FrameType, MappingProxyType
from typing import Any

import structlog
import uvicorn
from fastapi import FastAPI
from prometheus_client import CONTENT_TYPE_LATEST, disable_created_metrics, generate_latest
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared import clock
from shared.metrics import LOOP_DELAY
from shared.settings import ServiceSettings
from shared.web import measured, plain, problems
from shared.web.auth import Verifier
from shared.web.browsers import FromPages
from shared.web.openapi import document
from shared.web.problems import Problem

MAX_BODY_BYTES = 4 * 1024 * 1024
NO_LARGER: Mapping[str, int] = MappingProxyType({})
NO_ADDRESSES: Mapping[str, str] = MappingProxyType({})
INSTANCE_HEADER = "X-Tillstream-Instance"
"""Which instance answers a probe: on a port may be the service of another stack."""
_BACKLOG = 2048
_GRACEFUL_SECONDS = 3  # open streams of dashboards last until then
_LOOP_SECONDS = 0.5

Ready = Callable[[], Awaitable[Sequence[str]]]
Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]

log = structlog.get_logger()


def create_app(
    title: str,
    *,
    verifier: Verifier,
    ready: Ready,
    lifespan: Lifespan | None = None,
    larger_bodies: Mapping[str, int] = NO_LARGER,
    addresses: Mapping[str, str] = NO_ADDRESSES,
) -> FastAPI:
    """A service's application.

    ``ready`` names what is not ready yet, in words for an operator; nothing = ready. Bodies over
    4 MiB are answered 413; ``larger_bodies`` says how many bytes the paths with a prefix take.
    ``addresses`` are those of all services (``ServiceSettings.addresses``), whose pages may call this one.
    """
    app = FastAPI(
        title=title,
        version="1",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
    )
    app.state.verifier = verifier
    app.state.instance = ""
    app.state.addresses = addresses
    app.state.origins = frozenset(address for address in addresses.values() if address)
    problems.install(app)
    app.add_middleware(LimitedBody, max_bytes=MAX_BODY_BYTES, larger=larger_bodies)
    plain.install(app, MAX_BODY_BYTES)
    _open_to_pages(app)
    measured.install(app)
    _add_probes(app, ready)
    document(app)
    return app


def _open_to_pages(app: FastAPI) -> None:
    build = app.build_middleware_stack
    app.build_middleware_stack = lambda: FromPages(build(), app.state.origins)  # type: ignore[method-assign]


def _add_probes(app: FastAPI, ready: Ready) -> None:
    # When each series began: as many series again, which nobody asks for.
    disable_created_metrics()  # type: ignore[no-untyped-call]

    def instance() -> dict[str, str]:
        return {INSTANCE_HEADER: app.state.instance}

    async def livez() -> Response:
        return JSONResponse({"status": "alive"}, headers=instance())

    async def readyz() -> Response:
        missing = await ready()
        if missing:
            raise Problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "Not ready",
                "; ".join(missing),
                headers={"Retry-After": "1", **instance()},
            )
        return JSONResponse({"status": "ready"}, headers=instance())

    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    for endpoint in (livez, readyz, metrics):
        app.add_api_route(f"/{endpoint.__name__}", endpoint, include_in_schema=False)


class LimitedBody:
    """Refuses bodies over ``max_bytes``, by their stated length or while they come in.

    ``larger``: how many bytes requests may have instead whose path begins so.
    """

    def __init__(self, app: ASGIApp, max_bytes: int, larger: Mapping[str, int] = NO_LARGER) -> None:
        self.app = app
        self.max_bytes = max_bytes
        self.larger = larger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with a ``receive`` that counts."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        max_bytes = self._max_bytes(scope["path"])
        stated = dict(scope["headers"]).get(b"content-length", b"0")
        if stated.isdigit() and int(stated) > max_bytes:
            await problems.too_large(max_bytes).response(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > max_bytes:
                raise problems.too_large(max_bytes)
            return message

        await self.app(scope, counted, send)

    def _max_bytes(self, path: str) -> int:
        return next(
            (size for prefix, size in self.larger.items() if path.startswith(prefix)),
            self.max_bytes,
        )


class BackgroundEndedError(RuntimeError):
    """A task that runs as long as the service ended before it."""


@asynccontextmanager
async def background(
    *coroutines: Coroutine[Any, Any, None],
    stop: Callable[[], None] = lambda: signal.raise_signal(signal.SIGTERM),
) -> AsyncIterator[None]:
    """Run the coroutines beside the server, for use in a lifespan; cancel them at the end.

    If one ends, the service stops (``stop``): half a service that looks alive is worse than none.
    Raises ``BackgroundEndedError`` at the end, so that a supervisor sees the process fail; why is
    in the log.
    """
    stopping = False
    ended = 0

    def watch(task: asyncio.Task[None]) -> None:
        nonlocal ended
        if not stopping:
            ended += 1
            # One that ends as cancelled, though nobody cancelled it, is just as gone.
            error = asyncio.CancelledError() if task.cancelled() else task.exception()
            log.error("background task ended", task=task.get_name(), exc_info=error)
            stop()

    tasks = [
        asyncio.create_task(coroutine, name=getattr(coroutine, "__qualname__", None))
        for coroutine in (*coroutines, _time_the_loop())
    ]
    for task in tasks:
        task.add_done_callback(watch)
    try:
        yield
    finally:
        stopping = True
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    if ended:
        message = f"{ended} background tasks ended before the service"
        raise BackgroundEndedError(message)


async def _time_the_loop() -> None:
    """Observe how late the event loop is, until cancelled."""
    while True:
        due = clock.monotonic() + _LOOP_SECONDS
        await asyncio.sleep(_LOOP_SECONDS)
        LOOP_DELAY.observe(max(0.0, clock.monotonic() - due))


def serve(app: FastAPI, settings: ServiceSettings) -> None:
    """Serve until SIGTERM or SIGINT, then finish what is open (up to 3 s).

    Listens first: a busy port fails before the lifespan starts anything. Returns after a graceful stop; raises ``SystemExit`` (1) when the start, the lifespan or a
    background task failed.
    """
    app.state.instance = settings.instance
    server = uvicorn.Server(configuration(app, settings))
    # uvicorn raises the signal again when it is done; a requested stop is not a failure.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _already_stopped)
    server.run(sockets=[_listen(settings.http_host, settings.http_port)])
    if not server.started or server.lifespan.should_exit or server.lifespan.error_occurred:
        raise SystemExit(1)


def configuration(app: ASGIApp, settings: ServiceSettings) -> uvicorn.Config:
    """How the server runs the application."""
    return uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        # uvicorn would believe whoever is on this machine.
        forwarded_allow_ips=[one for one in settings.trusted_proxies.split(",") if one],
        timeout_graceful_shutdown=_GRACEFUL_SECONDS,
    )


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        log.error("can't listen", host=host, port=port, error=error.strerror)  # noqa: TRY400
        raise SystemExit(1) from error


def _already_stopped(_: int, __: FrameType | None) -> None:
    return
