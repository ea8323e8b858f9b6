"""The authoring API: routes only; what they do is in authoring, references and access."""

from collections.abc import Callable

from fastapi import FastAPI

from services.emission.http.campaigns import campaign_routes
from services.emission.http.changes import change_routes
from services.emission.http.codes import code_routes
from services.emission.http.copies import copy_routes
from services.emission.http.customers import customer_routes, group_routes
from services.emission.http.desk import Desk
from services.emission.http.drafts import draft_routes
from services.emission.http.emissions import emission_routes
from services.emission.http.instruments import instrument_routes
from services.emission.http.keys import token_routes
from services.emission.http.products import product_routes
from services.emission.http.sessions import session_routes
from services.emission.http.stores import store_routes
from services.emission.http.users import user_routes

__all__ = ["LARGER_BODIES", "Desk", "add_routes"]

_CUSTOMERS = 16 * 1024 * 1024  # 200,000 ids of 64 characters, quoted
_TABLE = 64 * 1024 * 1024  # a catalogue of 100,000 products, several times over
LARGER_BODIES = {
    "/v1/emissions": _CUSTOMERS,
    "/v1/customer-groups/": _CUSTOMERS,
    "/v1/products": _TABLE,
}
"""Paths that take a list of customers whole, or a catalogue: half a list would be another emission or group."""


def add_routes(app: FastAPI, desk: Callable[[], Desk]) -> None:
    """Add the whole API; ``desk`` is there once the service has started."""
    for routes in (
        token_routes,
        emission_routes,
        code_routes,
        instrument_routes,
        campaign_routes,
        copy_routes,
        change_routes,
        store_routes,
        product_routes,
        draft_routes,
        group_routes,
        customer_routes,
        session_routes,
        user_routes,
    ):
        app.include_router(
            routes(desk), prefix="/v1", tags=[routes.__name__.replace("_routes", "s")]
        )
