"""Routes that answer a JSON body with another, straight from the server.

A framework's way to a function and back takes several times as long as a bare application does. Where
the work itself takes no longer, the way must be short: these routes come before all others and before
all middleware, and answer as the others do, problems included.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.routing import compile_path as compile_template
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.events.values import Event
from shared.web import auth, problems
from shared.web.address import address_of
from shared.web.body import check_type
from shared.web.problems import Problem

_NO_PARAMETERS: Mapping[str, str] = MappingProxyType({})
compile_path = lru_cache(compile_template)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: its body, its caller, its headers, and what stands for ``{…}`` in the path.

    ``address`` is the caller's IP address, if it has one.
    """

    body: bytes
    caller: auth.Principal
    headers: Headers
    parameters: Mapping[str, str]
    address: str | None


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer that is not just a body: a problem document, if its status is one."""

    body: bytes
    status: int = HTTPStatus.OK
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PlainRoute:
    """``POST path``: ``answer`` gets what a caller with one of the scopes asks, and returns a body.

    It reads and writes JSON itself, and raises as any route does. ``takes`` (None: no body is read) and
    ``gives`` are the models of what it reads and writes, for the OpenAPI document; so are ``needs_body``,
    whether an empty one is refused, ``idempotent``, whether it heeds an Idempotency-Key, and what it
    ``refuses`` with besides what all routes do. ``header`` is another that it heeds, as OpenAPI says it.
    """

    path: str
    scopes: tuple[auth.Scope, ...]
    answer: Callable[[Asked], Awaitable[bytes | Answered]]
    takes: type[Event] | None
    gives: type[Event]
    summary: str
    needs_body: bool = True
    idempotent: bool = False
    refuses: tuple[HTTPStatus, ...] = ()
    header: Mapping[str, Any] | None = None


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
        found = self._find(scope["path"]) if scope["type"] == "http" else None
        if found is None:
            await self.app(scope, receive, send)
            return
        route, parameters = found
        scope["route"] = route  # as a framework's router notes it
        try:
            answer = await self._answer(route, parameters, scope, receive)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is answered with a problem
            problem = problems.problem_of(error, scope["method"], route.path)
            await problem.response(scope, receive, send)
            return
        if isinstance(answer, bytes):
            answer = Answered(answer)
        is_problem = answer.status >= HTTPStatus.BAD_REQUEST
        kind = problems.MEDIA_TYPE.encode() if is_problem else b"application/json"
        headers = [(b"content-type", kind), (b"content-length", b"%d" % len(answer.body))]
        headers += [(name.encode(), value.encode()) for name, value in answer.headers.items()]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})

    def _find(self, path: str) -> tuple[PlainRoute, Mapping[str, str]] | None:
        route = self.routes.get(path)
        if route is not None:
            return route, _NO_PARAMETERS
        for template, route in self.routes.items():
            if "{" in template:
                match = compile_path(template)[0].match(path)
                if match is not None:
                    return route, match.groupdict()
        return None

    async def _answer(
        self, route: PlainRoute, parameters: Mapping[str, str], scope: Scope, receive: Receive
    ) -> bytes | Answered:
        if scope["method"] != "POST":
            allowed = {"Allow": "POST"}
            raise Problem(HTTPStatus.METHOD_NOT_ALLOWED, "Method Not Allowed", headers=allowed)
        request = Request(scope)
        caller = auth.authenticate(request)
        auth.permit(caller, *route.scopes)
        if route.takes is not None:
            check_type(request.headers)
        stated = request.headers.get("content-length", "0")
        if stated.isdigit() and int(stated) > self.max_bytes:
            raise problems.too_large(self.max_bytes)
        body = await self._body(receive)
        return await route.answer(
            Asked(body, caller, request.headers, parameters, address_of(request))
        )

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
