"""Routes that answer a JSON body with another, straight from the server.

A framework's way to a function and back takes several times as long as a bare application does. Where
the work itself takes no longer, the way must be short: these routes come before all others and before
all middleware, and answer as the others do, problems included.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

from fastapi import FastAPI
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.events.values import Event
from shared.web import auth, problems
from shared.web.body import check_type
from shared.web.problems import Problem


@dataclass(frozen=True, slots=True)
class PlainRoute:
    """``POST path``: ``answer`` gets the body of a caller with the scope, and returns another.

    It reads and writes JSON itself, and raises as any route does. ``takes`` and ``gives`` are the
    models of what it reads and writes, for the OpenAPI document.
    """

    path: str
    scope: auth.Scope
    answer: Callable[[bytes], Awaitable[bytes]]
    takes: type[Event]
    gives: type[Event]
    summary: str


def install(app: FastAPI, max_bytes: int) -> None:
    """Have ``app`` look at its plain routes first; bodies over ``max_bytes`` are answered 413."""
    routes: dict[str, PlainRoute] = {}
    app.state.plain_routes = routes
    build = app.build_middleware_stack
    app.build_middleware_stack = lambda: _PlainFirst(build(), routes, max_bytes)  # type: ignore[method-assign]


def add(app: FastAPI, routes: Iterable[PlainRoute]) -> None:
    """Add plain routes, also while the application runs."""
    app.state.plain_routes.update({route.path: route for route in routes})


def routes_of(app: FastAPI) -> Iterable[PlainRoute]:
    """Its plain routes."""
    found: Mapping[str, PlainRoute] = app.state.plain_routes
    return found.values()


class _PlainFirst:
    """The application, with the plain routes before it."""

    def __init__(self, app: ASGIApp, routes: Mapping[str, PlainRoute], max_bytes: int) -> None:
        self.app = app
        self.routes = routes
        self.max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = self.routes.get(scope["path"]) if scope["type"] == "http" else None
        if route is None:
            await self.app(scope, receive, send)
            return
        try:
            answer = await self._answer(route, scope, receive)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is answered with a problem
            problem = problems.problem_of(error, scope["method"], route.path)
            await problem.response(scope, receive, send)
            return
        length = b"%d" % len(answer)
        headers = [(b"content-type", b"application/json"), (b"content-length", length)]
        await send({"type": "http.response.start", "status": HTTPStatus.OK, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    async def _answer(self, route: PlainRoute, scope: Scope, receive: Receive) -> bytes:
        if scope["method"] != "POST":
            allowed = {"Allow": "POST"}
            raise Problem(HTTPStatus.METHOD_NOT_ALLOWED, "Method Not Allowed", headers=allowed)
        request = Request(scope)
        auth.permit(auth.authenticate(request), route.scope)
        check_type(request.headers)
        stated = request.headers.get("content-length", "0")
        if stated.isdigit() and int(stated) > self.max_bytes:
            raise problems.too_large(self.max_bytes)
        return await route.answer(await self._body(receive))

    async def _body(self, receive: Receive) -> bytes:
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            body += message.get("body", b"")
            if len(body) > self.max_bytes:
                raise problems.too_large(self.max_bytes)
            more = message.get("more_body", False)
        return body
