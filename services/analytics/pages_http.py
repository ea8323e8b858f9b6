"""The pages of the statistics: the dashboard, activations as they come, and what campaigns are worth."""

from http import HTTPStatus
from pathlib import Path

from fastapi import APIRouter, Depends, Request
from starlette.responses import FileResponse, Response

from shared.web.auth import Scope, require
from shared.web.pages import Pages, from_npm

_PAGES = Path(__file__).parent / "pages"
_ECHARTS = "echarts.min.js"
_SCOPE: Scope = "statistics:read"


def routes(regions: Path | None) -> APIRouter:
    """The pages; ``regions`` is the operator's map of the regions (GeoJSON), if there is one."""
    router = APIRouter()
    pages = Pages("analytics", _PAGES, {_ECHARTS: from_npm("echarts", "dist", _ECHARTS)})

    @router.get("/dashboard", include_in_schema=False)
    async def dashboard(request: Request) -> Response:
        return _shown(pages, request, "dashboard.js", _ECHARTS)

    @router.get("/feed", include_in_schema=False)
    async def feed(request: Request) -> Response:
        return _shown(pages, request, "feed.js")

    @router.get("/effectiveness", include_in_schema=False)
    async def effectiveness(request: Request) -> Response:
        return _shown(pages, request, "effectiveness.js")

    @router.get(
        "/v1/statistics/regions.geojson",
        include_in_schema=False,
        dependencies=[Depends(require(_SCOPE))],
    )
    def map_of_regions() -> Response:
        if regions is None or not regions.is_file():
            return Response(status_code=HTTPStatus.NO_CONTENT)
        return FileResponse(regions, media_type="application/geo+json")

    pages.add_assets(router)
    return router


def _shown(pages: Pages, request: Request, script: str, *scripts: str) -> Response:
    return pages.show(request, _SCOPE, script, styles=("statistics.css",), scripts=scripts)
