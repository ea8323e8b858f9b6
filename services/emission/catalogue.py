"""The catalogue: products kept, taken out, and published where they changed."""

import asyncio
import io
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from itertools import islice
from tempfile import SpooledTemporaryFile
from typing import Annotated
from uuid import uuid4

import asyncpg
import orjson
from pydantic import Field

from services.emission.posting import SOURCE
from services.emission.store import changes
from services.emission.store import products as store
from services.emission.store.changes import Change
from services.emission.table import BadHeaderError, Row, rows
from shared import clock, topics
from shared.codec import FieldError, InvalidMessageError, encode
from shared.database import Connection
from shared.events.reference import Product
from shared.events.values import Event
from shared.outbox import Message, Tombstone, put
from shared.web.problems import MAX_ERRORS, Problem

_ROWS_AT_ONCE = 2_000
_IN_MEMORY_BYTES = 1024 * 1024


class NewProducts(Event):
    """Products to be kept, each in place of what was known of it."""

    products: Annotated[tuple[Product, ...], Field(min_length=1, max_length=20_000)]


@dataclass(frozen=True)
class Saved:
    """How many products were given, and how many of them were new or different."""

    products: int = 0
    changed: int = 0


def faults_of_products(products: Sequence[Product]) -> list[FieldError]:
    """Products given twice, by field."""
    faults, seen = [], set()
    for position, one in enumerate(products):
        if one.sku in seen:
            faults.append(FieldError(f"products.{position}.sku", "given twice", "repeated"))
        seen.add(one.sku)
    return faults


@dataclass
class Catalogue:
    """Writes products; raises ``Problem`` or ``InvalidMessageError``."""

    pool: asyncpg.Pool
    now: Callable[[], datetime] = clock.now

    async def save(self, products: Sequence[Product], actor: str) -> Saved:
        """Keep the products; those that were new or different are published."""
        faults = faults_of_products(products)
        if faults:
            raise InvalidMessageError(faults)
        async with self.pool.acquire() as connection, connection.transaction():
            await store.lock_catalogue(connection)
            saved = Saved(len(products), await self._save(connection, products))
            await self._record(connection, saved, products, actor)
            return saved

    async def load(self, chunks: AsyncIterator[bytes], actor: str) -> Saved:
        """Keep the products of a table (CSV), all or none; of it only some rows are in memory at a time.

        The table waits on disk, so that no transaction does for who sends it slowly.
        """
        with SpooledTemporaryFile(_IN_MEMORY_BYTES) as spool:
            async for chunk in chunks:
                spool.write(chunk)
            spool.seek(0)
            # What is no UTF-8 is let through to the cell that has it, and refused there.
            lines = io.TextIOWrapper(spool, "utf-8", "surrogateescape", newline="")
            try:
                return await self._load(rows(lines), actor)
            except BadHeaderError as error:
                raise _refusal(error.faults, len(error.faults)) from error
            finally:
                lines.detach()

    async def _load(self, table: Iterator[Row], actor: str) -> Saved:
        faults: list[FieldError] = []
        faulty = 0
        saved = Saved()
        async with self.pool.acquire() as connection, connection.transaction():
            await store.lock_catalogue(connection)
            while some := await asyncio.to_thread(lambda: list(islice(table, _ROWS_AT_ONCE))):
                for row in some:
                    faulty += len(row.faults)
                    faults += row.faults[: MAX_ERRORS - len(faults)]
                if faulty:  # nothing will be kept: only look for what else is wrong
                    continue
                products = [row.product for row in some if row.product is not None]
                changed = await self._save(connection, products)
                saved = Saved(saved.products + len(products), saved.changed + changed)
            if faulty:
                raise _refusal(faults, faulty)
            await self._record(connection, saved, (), actor)
        return saved

    async def delete(self, sku: str, actor: str) -> bool:
        """Take a product out of the catalogue; False if it is not in it. What was sold stays counted."""
        async with self.pool.acquire() as connection, connection.transaction():
            await store.lock_catalogue(connection)
            if not await store.delete(connection, sku):
                return False
            gone = Tombstone(topics.PRODUCTS, sku.encode(), str(uuid4()))
            now = self.now()
            await put(connection, [gone], SOURCE, now)
            await changes.record(connection, Change(actor, "deleted", "product", sku), now)
            return True

    async def _save(self, connection: Connection, products: Sequence[Product]) -> int:
        changed = await store.save(connection, products)
        messages = [
            Message(topics.PRODUCTS, one.sku.encode(), one, str(uuid4())) for one in changed
        ]
        await put(connection, messages, SOURCE, self.now())
        return len(changed)

    async def _record(
        self, connection: Connection, saved: Saved, products: Sequence[Product], actor: str
    ) -> None:
        """One product whole; of many, how many: a nightly upload would bury all other changes."""
        if not saved.changed:
            return
        if len(products) == 1:
            change = Change(actor, "saved", "product", products[0].sku, _body(products[0]))
        else:
            counts = {"products": saved.products, "changed": saved.changed}
            change = Change(actor, "uploaded", "product", "*", counts)
        await changes.record(connection, change, self.now())


def _body(product: Product) -> dict[str, object]:
    body: dict[str, object] = orjson.loads(encode(product))
    return body


def _refusal(faults: Sequence[FieldError], of: int) -> Problem:
    """422 that names the first cells at fault, and how many there are."""
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "The table has faults",
        f"{of} in all, nothing was kept: {'; '.join(str(fault) for fault in faults[:5])}",
        [{"field": fault.field, "message": fault.message} for fault in faults],
    )
