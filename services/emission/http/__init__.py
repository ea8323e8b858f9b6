"""The authoring API: routes only; what they do is in authoring, references and access."""

from collections.abc import Callable

from fastapi import FastAPI

from services.emission.http.campaigns import campaign_routes
from services.emission.http.customers import group_routes
from services.emission.http.desk import Desk
from services.emission.http.emissions import emission_routes
from services.emission.http.instruments import instrument_routes
from services.emission.http.keys import token_routes
from services.emission.http.stores import store_routes

__all__ = ["Desk", "add_routes"]


def add_routes(app: FastAPI, desk: Callable[[], Desk]) -> None:
    """Add the whole API; ``desk`` is there once the service has started."""
    for routes in (
        token_routes,
        emission_routes,
        instrument_routes,
        campaign_routes,
        store_routes,
        group_routes,
    ):
        app.include_router(
            routes(desk), prefix="/v1", tags=[routes.__name__.replace("_routes", "s")]
        )
