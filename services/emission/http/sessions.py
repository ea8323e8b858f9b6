"""Signing in and out of the console, for its pages: cookies, only from our own pages."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from services.emission.http.desk import SECRET, Desk
from services.emission.sign_in import SignedIn
from services.emission.users import LONGEST, Acceptance, Credentials, NewPassword
from services.emission.views import SessionView
from shared.web.address import address_of
from shared.web.auth import COOKIE, PAGE_LIFETIME, is_from_our_pages, unauthenticated
from shared.web.body import json_body
from shared.web.problems import Problem

_SESSION_COOKIE = "tillstream_session"
_SESSION_PATH = "/v1/session"


async def _from_pages(request: Request) -> None:
    """Other sites may make browsers send forms here, with cookies: they are not heard."""
    if not is_from_our_pages(request):
        raise Problem(HTTPStatus.FORBIDDEN, "Not allowed", "Sign in on the console's own page.")


_PAGES_ONLY: dict[str, Any] = {
    "dependencies": [Depends(_from_pages)],
    "openapi_extra": {"security": []},
    "responses": {HTTPStatus.UNAUTHORIZED: {}, HTTPStatus.FORBIDDEN: {}},
}


def session_routes(desk: Callable[[], Desk]) -> APIRouter:
    """Sessions of the console."""
    router = APIRouter(prefix="/session")

    @router.post(
        "",
        **{
            **_PAGES_ONLY,
            "responses": {**_PAGES_ONLY["responses"], HTTPStatus.TOO_MANY_REQUESTS: {}},
        },
    )
    async def sign_in(
        given: Annotated[Credentials, Depends(json_body(Credentials))],
        request: Request,
        response: Response,
    ) -> SessionView:
        """Sign in: cookies for the pages of all services. Too many wrong attempts are locked out."""
        opened = await desk().sign_in.sign_in(given, address_of(request))
        return _keep(request, response, opened)

    @router.post("/renew", **_PAGES_ONLY)
    async def renew(request: Request, response: Response) -> SessionView:
        """Another token, as long as the session lasts; the pages ask for it now and then."""
        return _keep(request, response, await desk().sign_in.renew(_secret(request)))

    @router.post("/invitation", **_PAGES_ONLY | {"responses": _PAGES_ONLY["responses"] | {409: {}}})
    async def accept(
        given: Annotated[Acceptance, Depends(json_body(Acceptance))],
        request: Request,
        response: Response,
    ) -> SessionView:
        """Accept an invitation: set a password, and be signed in."""
        return _keep(request, response, await desk().sign_in.accept(given))

    @router.put(
        "/password",
        status_code=HTTPStatus.NO_CONTENT,
        **_PAGES_ONLY | {"responses": _PAGES_ONLY["responses"] | {409: {}}},
    )
    async def change_password(
        given: Annotated[NewPassword, Depends(json_body(NewPassword))], request: Request
    ) -> None:
        """Change one's password; one's other sessions end."""
        await desk().sign_in.change_password(_secret(request), given)

    @router.delete("", status_code=HTTPStatus.NO_CONTENT, **_PAGES_ONLY)
    async def sign_out(request: Request, response: Response) -> None:
        """Sign out."""
        await desk().sign_in.sign_out(request.cookies.get(_SESSION_COOKIE, ""))
        response.delete_cookie(COOKIE, path="/")
        response.delete_cookie(_SESSION_COOKIE, path=_SESSION_PATH)

    return router


def _secret(request: Request) -> str:
    secret = request.cookies.get(_SESSION_COOKIE)
    if not secret:
        raise unauthenticated("There is no open session: sign in.")
    return secret


def _keep(request: Request, response: Response, opened: SignedIn) -> SessionView:
    """Put the token and the session into cookies that no script can read."""
    secure = request.url.scheme == "https"
    response.headers.update(SECRET)
    # Lax, not strict: a link from a mail or a wiki would lose it on the way to the page. Cookies of other
    # sites' pages open nothing but safe methods (``shared.web.auth``).
    response.set_cookie(
        COOKIE,
        opened.token,
        max_age=int(PAGE_LIFETIME.total_seconds()),
        path="/",
        httponly=True,
        samesite="lax",
        secure=secure,
    )
    response.set_cookie(
        _SESSION_COOKIE,
        opened.secret,
        max_age=int(LONGEST.total_seconds()),
        path=_SESSION_PATH,
        httponly=True,
        samesite="strict",
        secure=secure,
    )
    return SessionView.of(opened.user)
