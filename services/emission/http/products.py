"""The catalogue of products."""

from collections.abc import Callable
from dataclasses import asdict
from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query, Request

from services.emission.catalogue import NewProducts
from services.emission.http.desk import (
    READS,
    Author,
    Desk,
    Limit,
    Offset,
    Search,
    next_of,
    not_found,
    sort_by,
)
from services.emission.store import products as product_store
from services.emission.store.listing import Page
from services.emission.views import NamedProducts, Products, ProductsNamed, ProductsSaved
from shared.events.values import Text
from shared.web.body import MODEL_ATTRIBUTE, read

_CSV = "text/csv"
# An address has 64 KiB, and a letter may take six of them.
_Names = Annotated[list[Text], Query(max_length=20, description="any of these; none: all")]
_SAYS = """Keep products, each in place of what was known of it: all or none.

As JSON up to 20,000. As CSV (`text/csv`, UTF-8) as many as 64 MiB hold: a header row, then the columns `sku`, `name`, and
as wanted `group`, `brand`, `cost` (a decimal, as 23.50), `currency`, `attr:<name>`; commas or semicolons. What is wrong is
named by row, as a spreadsheet counts (1 is the header), and column: `rows.3.cost`.
"""
_After = Annotated[
    str,
    Query(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$", description="the last page's `next`"),
]


async def _given(request: Request) -> NewProducts | None:
    """The products of a JSON body; None: the body is a table."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return None if kind == _CSV else await read(request, NewProducts)


setattr(_given, MODEL_ATTRIBUTE, NewProducts)


def product_routes(desk: Callable[[], Desk]) -> APIRouter:
    """The catalogue."""
    router = APIRouter(prefix="/products")

    @router.put(
        "",
        description=_SAYS,
        openapi_extra={"requestBody": {"content": {_CSV: {"schema": {"type": "string"}}}}},
    )
    async def save(
        author: Author, request: Request, new: Annotated[NewProducts | None, Depends(_given)]
    ) -> ProductsSaved:
        if new is None:
            saved = await desk().catalogue.load(request.stream(), author.subject)
        else:
            saved = await desk().catalogue.save(new.products, author.subject)
        return ProductsSaved(**asdict(saved))

    @router.get("", dependencies=READS)
    async def products(
        search: Search = "",
        sort: Annotated[str, sort_by(product_store.PRODUCTS)] = "",
        group: _Names = [],  # noqa: B006 - FastAPI copies it
        brand: _Names = [],  # noqa: B006
        sku: Annotated[list[Text], Query(max_length=50)] = [],  # noqa: B006
        after: _After = "",
        offset: Offset = 0,
        limit: Limit = 100,
    ) -> Products:
        """Products: searched by sku, name, group and brand; by sku where no order is asked for."""
        page = Page(search, sort, after, offset, limit)
        wanted = product_store.WantedProducts(group, brand, sku)
        async with desk().pool.acquire() as connection:
            items, total = await product_store.products(connection, wanted, page)
        return Products(items=items, total=total, next=next_of(page, [one.sku for one in items]))

    async def named(
        what: Literal["group", "brand"], search: str, offset: int, limit: int
    ) -> ProductsNamed:
        page = Page(search, "-products", "", offset, limit)
        async with desk().pool.acquire() as connection:
            found, total = await product_store.named(connection, what, page)
        items = [NamedProducts(name=name, products=count) for name, count in found]
        return ProductsNamed(items=items, total=total)

    @router.get("/groups", dependencies=READS)
    async def groups(search: Search = "", offset: Offset = 0, limit: Limit = 100) -> ProductsNamed:
        """Product groups, those with the most products first."""
        return await named("group", search, offset, limit)

    @router.get("/brands", dependencies=READS)
    async def brands(search: Search = "", offset: Offset = 0, limit: Limit = 100) -> ProductsNamed:
        """Brands, those with the most products first."""
        return await named("brand", search, offset, limit)

    @router.delete("/{sku:path}", status_code=HTTPStatus.NO_CONTENT)
    async def delete(author: Author, sku: Annotated[Text, Path()]) -> None:
        """Take a product out of the catalogue; what was sold stays counted."""
        if not await desk().catalogue.delete(sku, author.subject):
            raise not_found("sku", "no such product")

    return router
