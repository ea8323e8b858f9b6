"""The console's pages: of every service the same frame, and one sign-in for all of them.

No script and no style is inline: the content security policy refuses them. Who is not signed in is sent to
emission's form and comes back to the page that he wanted.
"""

import hashlib
import os
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from jinja2 import Environment, FileSystemLoader
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response

from shared.web.auth import Principal, Scope, authenticate
from shared.web.problems import Problem

_SHARED = Path(__file__).parent / "pages"
_PROJECT = Path(__file__).parents[2]
_MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_NO_FILES: Mapping[str, Path] = MappingProxyType({})
LANGUAGES = ("en", "uk")
LANGUAGE_COOKIE = "tillstream_language"
THEMES = ("light", "dark")
THEME_COOKIE = "tillstream_theme"
_FOREVER = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-site",
}


def from_npm(*parts: str) -> Path:
    """A file that npm installed (the packages of package.json)."""
    modules = Path(os.environ.get("TILLSTREAM_NODE_MODULES", _PROJECT / "node_modules"))
    return modules.joinpath(*parts)


class Pages:
    """The pages of a service, in a folder, which is also where its assets are.

    ``others`` are assets from elsewhere, by their names. All assets of a page are in one folder as browsers
    see it, those that the services share, too.
    """

    def __init__(self, service: str, folder: Path, others: Mapping[str, Path] = _NO_FILES) -> None:
        self._service = service
        self._templates = Environment(loader=FileSystemLoader([folder, _SHARED]), autoescape=True)
        preact = from_npm("htm", "preact", "standalone.module.js")
        self._files = {
            **_assets(_SHARED),
            **_assets(folder),
            "preact.js": preact,
            **others,
        }
        self._version = _version(self._files)

    def show(
        self,
        request: Request,
        scope: Scope,
        script: str,
        *,
        styles: tuple[str, ...] = (),
        scripts: tuple[str, ...] = (),
    ) -> Response:
        """The page whose module is ``script``, for who is signed in and has ``scope``.

        ``styles`` and classic ``scripts`` are loaded before it.
        """
        try:
            caller = authenticate(request)
        except Problem:
            return self._to_sign_in(request)
        allowed = scope in caller.scopes
        shown = script if allowed else "forbidden.js"
        page = self.render(
            request,
            "page.html",
            caller=caller,
            script=shown,
            styles=styles,
            scripts=scripts,
        )
        page.status_code = HTTPStatus.OK if allowed else HTTPStatus.FORBIDDEN
        return page

    def render(
        self, request: Request, template: str, *, caller: Principal | None = None, **words: object
    ) -> Response:
        """A template with what every page is told: who is signed in, and where the services are."""
        addresses = request.app.state.addresses
        page = self._templates.get_template(template).render(
            assets=f"/assets/{self._service}/{self._version}",
            service=self._service,
            language=_chosen(request, LANGUAGE_COOKIE, LANGUAGES) or _preferred(request),
            theme=_chosen(request, THEME_COOKIE, THEMES),
            addresses=addresses,
            login=caller.subject.partition(":")[2] if caller else "",
            scopes=" ".join(sorted(caller.scopes)) if caller else "",
            **words,
        )
        return HTMLResponse(page, headers=_headers(addresses))

    def add_assets(self, router: APIRouter) -> None:
        """Serve the assets: their addresses change with what is in them."""

        @router.get(f"/assets/{self._service}/{{version}}/{{name}}", include_in_schema=False)
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

    def _to_sign_in(self, request: Request) -> Response:
        addresses = request.app.state.addresses
        # Behind one proxy a path is enough; else emission must know where to send the browser back.
        wanted = (
            request.url if addresses.get("emission") else request.url.replace(netloc="", scheme="")
        )
        query = urlencode({"return_to": str(wanted)})
        target = f"{addresses.get('emission', '')}/sign-in?{query}"
        return RedirectResponse(target, HTTPStatus.SEE_OTHER, headers=_headers(addresses))


def _chosen(request: Request, cookie: str, allowed: tuple[str, ...]) -> str:
    value = request.cookies.get(cookie, "")
    return value if value in allowed else ""


def _preferred(request: Request) -> str:
    """The first of the browser's languages that there is: they come in the order of its preference."""
    wanted = request.headers.get("accept-language", "")
    codes = (part.strip()[:2].lower() for part in wanted.split(","))
    return next((code for code in codes if code in LANGUAGES), LANGUAGES[0])


def _assets(folder: Path) -> dict[str, Path]:
    return {path.name: path for path in sorted(folder.iterdir()) if path.suffix in _MEDIA_TYPES}


def _headers(addresses: Mapping[str, str]) -> dict[str, str]:
    """Security headers of a page; it may call the services, and nobody else."""
    services = " ".join(sorted({address for address in addresses.values() if address}))
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self';"
        f" connect-src 'self' {services}".rstrip()
        + "; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
    return {
        "Content-Security-Policy": policy,
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Strict-Transport-Security": "max-age=31536000",
    }


def _version(files: Mapping[str, Path]) -> str:
    """A digest of the assets: part of their addresses, so that they may be cached for ever."""
    digest = hashlib.sha256()
    for path in files.values():
        if path.is_file():
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
