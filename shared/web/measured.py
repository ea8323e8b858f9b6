"""What is asked over HTTP, counted and timed: by the route's template, since paths hold ids."""

from collections.abc import Awaitable
from functools import lru_cache

from fastapi import FastAPI
from prometheus_client import Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared import clock
from shared.metrics import HTTP_SECONDS

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_PROBES = frozenset({"/livez", "/readyz", "/metrics"})
_UNKNOWN = "unknown"


def install(app: FastAPI) -> None:
    """Measure every answer of ``app``, whatever gives it: to be called after other wrappers."""
    build = app.build_middleware_stack
    app.build_middleware_stack = lambda: _Measured(build())  # type: ignore[method-assign]


def template_of(scope: Scope) -> str:
    """The template of the route that a request has met."""
    return str(getattr(scope.get("route"), "path", _UNKNOWN))


class _Measured:
    """The application; how long each request took until its answer began is observed."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = clock.monotonic()

        def observed(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start":
                series = _series(scope["method"], template_of(scope), message["status"])
                if series is not None:
                    series.observe(clock.monotonic() - started)
            return send(message)

        await self.app(scope, receive, observed)


@lru_cache(maxsize=2_000)  # finding a series by its labels takes longer than all the rest
def _series(method: str, route: str, status: int) -> Histogram | None:
    if route in _PROBES:  # a service that is starting is no error, and nobody waits for it
        return None
    named = method if method in _METHODS else "other"
    return HTTP_SECONDS.labels(named, route, str(status))
