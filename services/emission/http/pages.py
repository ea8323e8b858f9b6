"""The console's pages that emission serves: signing in, and authoring."""

from functools import cache
from pathlib import Path

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from shared.web.auth import Scope
from shared.web.pages import Pages

_FOLDER = Path(__file__).parents[1] / "pages"
_PAGES: dict[str, tuple[Scope, str]] = {
    "/campaigns": ("campaigns:read", "campaigns.js"),
    "/campaigns/{campaign_id}": ("campaigns:read", "campaign.js"),
    "/instruments": ("campaigns:read", "instruments.js"),
    "/instruments/{instrument_id}": ("campaigns:read", "instrument.js"),
    "/emissions": ("campaigns:read", "emissions.js"),
    "/emissions/{emission_id}": ("campaigns:read", "emission.js"),
    "/products": ("campaigns:read", "products.js"),
    "/stores": ("campaigns:read", "stores.js"),
    "/users": ("admin", "users.js"),
    "/keys": ("admin", "keys.js"),
    "/changes": ("admin", "changes.js"),
    "/account": ("campaigns:read", "account.js"),
}
"""By path: who may see it, and the module that draws it."""


@cache
def pages() -> Pages:
    """Emission's pages, and what they are made of."""
    return Pages("emission", _FOLDER)


def page_routes() -> APIRouter:
    """The pages and their assets."""
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    async def home(request: Request) -> Response:
        """Where the morning begins."""
        return RedirectResponse(f"{request.app.state.addresses.get('analytics', '')}/dashboard")

    @router.get("/sign-in")
    async def sign_in(request: Request) -> Response:
        return pages().render(request, "page.html", script="sign_in.js", styles=(), scripts=())

    @router.get("/invitation")
    async def invitation(request: Request) -> Response:
        return pages().render(request, "page.html", script="invitation.js", styles=(), scripts=())

    def add(path: str, scope: Scope, script: str) -> None:
        @router.get(path)
        async def page(request: Request) -> Response:
            return pages().show(request, scope, script, styles=("authoring.css",))

    for path, (scope, script) in _PAGES.items():
        add(path, scope, script)
    pages().add_assets(router)
    return router
