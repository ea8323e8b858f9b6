"""The catalogue of products."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from services.emission.store.listing import Listing, Page, Where
from shared.codec import decode, encode
from shared.database import Connection
from shared.events.reference import Product

_CATALOGUE = 0x7111_CA7A
PRODUCTS = Listing(
    "select * from products",
    "sku",
    {
        "sku": "sku",
        "name": "lower(name)",
        "group": "lower(product_group)",
        "brand": "lower(brand)",
    },
)
_NAMED = {"group": "product_group", "brand": "brand"}


async def lock_catalogue(connection: Connection) -> None:
    """One change at a time: products must be published in the order in which they were kept."""
    await connection.execute("select pg_advisory_xact_lock($1)", _CATALOGUE)


async def save(connection: Connection, new: Sequence[Product]) -> list[Product]:
    """Keep different products; those that are new or changed, in the order given."""
    rows = await connection.fetch(
        """
        insert into products (sku, body) select * from unnest($1::text[], $2::jsonb[])
        on conflict (sku) do update set body = excluded.body where products.body <> excluded.body
        returning sku
        """,
        [one.sku for one in new],
        [encode(one).decode() for one in new],
    )
    changed = {row["sku"] for row in rows}
    return [one for one in new if one.sku in changed]


async def delete(connection: Connection, sku: str) -> bool:
    """Take a product out; False if there is none."""
    found = await connection.fetchval("delete from products where sku = $1 returning true", sku)
    return bool(found)


@dataclass(frozen=True)
class WantedProducts:
    """Which products: of these groups, brands, skus."""

    groups: Sequence[str] = ()
    brands: Sequence[str] = ()
    skus: Sequence[str] = ()


async def products(
    connection: Connection, wanted: WantedProducts, page: Page
) -> tuple[list[Product], int]:
    """A page of products, and how many there are."""
    where = Where()
    where.search("search", page.search)
    where.add("product_group = any({}::text[])", list(wanted.groups))
    where.add("brand = any({}::text[])", list(wanted.brands))
    where.add("sku = any({}::text[])", list(wanted.skus))
    rows, total = await PRODUCTS.page(connection, where, page)
    return [decode(Product, row["body"].encode()) for row in rows], total


async def named(
    connection: Connection, what: Literal["group", "brand"], page: Page
) -> tuple[list[tuple[str, int]], int]:
    """Groups or brands, each with its number of products, those with the most first; and how many there are."""
    column = _NAMED[what]
    listing = Listing(
        f"select {column} as name, count(*) as products from products "  # noqa: S608 - ours
        f"where {column} is not null group by {column}",
        "name",
        {"products": "products"},
    )
    where = Where()
    where.search("lower(name)", page.search)
    rows, total = await listing.page(connection, where, page)
    return [(row["name"], row["products"]) for row in rows], total
