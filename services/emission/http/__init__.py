"""The authoring API: routes only; what they do is in authoring, references and access."""

from collections.abc import Callable

from fastapi import FastAPI

from services.emission.http.campaigns import campaigns
from services.emission.http.customers import groups
from services.emission.http.desk import Desk
from services.emission.http.emissions import emissions
from services.emission.http.instruments import instruments
from services.emission.http.keys import tokens
from services.emission.http.stores import stores

__all__ = ["Desk", "add_routes"]


def add_routes(app: FastAPI, desk: Callable[[], Desk]) -> None:
    """Add the whole API; ``desk`` is there once the service has started."""
    for routes in (tokens, emissions, instruments, campaigns, stores, groups):
        app.include_router(routes(desk), prefix="/v1", tags=[routes.__name__])
