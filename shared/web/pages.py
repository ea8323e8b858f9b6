"""Pages for people: templates and assets of a service, for those who sign in with a token.

No script and no style is inline: the content security policy refuses them. A token in the address is
kept in a cookie and taken out of the address bar.
"""

import hashlib
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from types import MappingProxyType

from fastapi import APIRouter, Request
from jinja2 import Environment, FileSystemLoader
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response

from shared.web.auth import COOKIE, InvalidTokenError, Scope, Verifier, authenticate
from shared.web.problems import Problem

_SHARED = Path(__file__).parent / "pages"
_SHARED_ASSETS = ("base.css", "icon.svg")
_MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_NO_FILES: Mapping[str, Path] = MappingProxyType({})
_PAGE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self';"
        " frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_FOREVER = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "X-Content-Type-Options": "nosniff",
}


class Pages:
    """The pages in a folder, which is also where their assets are; ``others`` are assets from elsewhere.

    A caller needs ``scope``; ``title`` and ``purpose`` ("Open the dashboard", "read statistics") are what the
    form to sign in says.
    """

    def __init__(
        self,
        folder: Path,
        scope: Scope,
        *,
        title: str,
        purpose: str,
        others: Mapping[str, Path] = _NO_FILES,
    ) -> None:
        self._templates = Environment(loader=FileSystemLoader([folder, _SHARED]), autoescape=True)
        self._scope: Scope = scope
        self._words = {"title": title, "purpose": purpose, "scope": scope}
        own = {path.name: path for path in folder.iterdir() if path.suffix in _MEDIA_TYPES}
        self._files = {name: _SHARED / name for name in _SHARED_ASSETS} | own | dict(others)
        self._version = _version(self._files)

    def show(self, request: Request, token: str | None, template: str) -> Response:
        """The page for who is signed in, or by now signs in with ``token``; else the form to sign in."""
        path = request.url.path
        if token is not None:
            return _signed_in(request, token) or self._sign_in(
                path, "That token is not valid any more."
            )
        try:
            caller = authenticate(request)
        except Problem:
            expired = COOKIE in request.cookies
            return self._sign_in(path, "Your session has ended." if expired else None)
        if self._scope not in caller.scopes:
            why = f"Your token does not allow to {self._words['purpose']}."
            return self._sign_in(path, why, HTTPStatus.FORBIDDEN)
        page = self._templates.get_template(template).render(version=self._version)
        return HTMLResponse(page, headers=_PAGE_HEADERS)

    def add_assets(self, router: APIRouter) -> None:
        """Serve the assets: their addresses change with what is in them."""

        @router.get("/assets/{version}/{name}", include_in_schema=False)
        async def asset(version: str, name: str) -> Response:  # noqa: ARG001 - makes caches forget
            if name not in self._files:
                raise Problem(HTTPStatus.NOT_FOUND, "No such asset", f"There is no asset {name!r}.")
            path = self._files[name]
            if not path.is_file():
                raise Problem(
                    HTTPStatus.NOT_FOUND,
                    "The asset is not installed",
                    f"{name} comes from npm: install the packages of package.json.",
                )
            return FileResponse(path, media_type=_MEDIA_TYPES[path.suffix], headers=_FOREVER)

    def _sign_in(
        self, path: str, why: str | None, status: int = HTTPStatus.UNAUTHORIZED
    ) -> Response:
        page = self._templates.get_template("sign_in.html").render(
            version=self._version, why=why, path=path, **self._words
        )
        return HTMLResponse(page, status, headers=_PAGE_HEADERS)


def _signed_in(request: Request, token: str) -> Response | None:
    """Keeps a valid token in a cookie and takes it out of the address bar."""
    verifier: Verifier = request.app.state.verifier
    try:
        verifier.verify(token)
    except InvalidTokenError:
        return None
    response = RedirectResponse(request.url.path, HTTPStatus.SEE_OTHER, headers=_PAGE_HEADERS)
    response.set_cookie(
        COOKIE,
        token,
        path="/",
        httponly=True,
        # Not strict: a link from a mail or a wiki would lose it on the way to the page. Cookies open
        # nothing but safe methods here.
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return response


def _version(files: Mapping[str, Path]) -> str:
    """A digest of the assets: part of their addresses, so that they may be cached for ever."""
    digest = hashlib.sha256()
    for path in files.values():
        if path.is_file():
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
