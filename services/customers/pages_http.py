"""The pages of the customers service: one line each."""

from pathlib import Path

from fastapi import APIRouter, Request
from starlette.responses import Response

from shared.web.auth import Scope
from shared.web.pages import Pages, from_npm

_PAGES = Path(__file__).parent / "pages"
_ECHARTS = "echarts.min.js"
# Path, script, and the scope that it needs.
_ROUTES: tuple[tuple[str, str, Scope], ...] = (
    ("/customers", "customers.js", "customers:read"),
    ("/customer", "customer.js", "customers:read"),
    ("/erasures", "erasures.js", "customers:read"),
    ("/webhooks", "webhooks.js", "customers:write"),
    ("/offers", "offers.js", "customers:read"),
    ("/policy", "policy.js", "customers:read"),
    ("/segments", "segments.js", "customers:read"),
    ("/segment", "segment.js", "customers:read"),
    ("/insights", "insights.js", "customers:read"),
    ("/alerts", "alerts.js", "customers:read"),
)


def routes() -> APIRouter:
    """The pages and their assets."""
    router = APIRouter()
    pages = Pages("customers", _PAGES, {_ECHARTS: from_npm("echarts", "dist", _ECHARTS)})
    for path, script, scope in _ROUTES:
        _add(router, pages, path, script, scope)
    pages.add_assets(router)
    return router


def _add(router: APIRouter, pages: Pages, path: str, script: str, scope: Scope) -> None:
    @router.get(path, include_in_schema=False)
    async def page(request: Request) -> Response:
        return pages.show(request, scope, script, styles=("customers.css",), scripts=(_ECHARTS,))
