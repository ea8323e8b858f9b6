"""Lists as authors look through them: searched, filtered, sorted, a page at a time, counted."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from shared.database import Connection


@dataclass(frozen=True)
class Page:
    """Which part of a list: ``search`` are words that must all be found, ``sort`` an order's name.

    A ``-`` before the name turns the order round. ``after`` is the last id of the page before, for
    readers who go through all of it by id.
    """

    search: str = ""
    sort: str = ""
    after: str = ""
    offset: int = 0
    limit: int = 100


@dataclass
class Where:
    """Conditions that must all hold; ``{}`` in each stands for its value."""

    conditions: list[str] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)

    def add(self, condition: str, value: Any) -> None:
        """Ask for the condition, unless the value is nothing to ask for."""
        if value is None or value in ("", []):
            return
        self.values.append(value)
        self.conditions.append(condition.format(f"${len(self.values)}"))

    def search(self, text: str, words: str) -> None:
        """Ask for each of the words as part of the text, an SQL expression in lower case."""
        patterns = [f"%{_escaped(word)}%" for word in words.lower().split()]
        self.add(f"{text} like all({{}}::text[])", patterns)

    def __str__(self) -> str:
        return " and ".join(self.conditions) or "true"


@dataclass(frozen=True)
class Listing:
    """A list: what is selected, the id that makes its order a total one, its orders by name."""

    select: str
    key: str
    orders: Mapping[str, str]

    async def page(
        self, connection: Connection, where: Where, page: Page
    ) -> tuple[list[asyncpg.Record], int]:
        """The rows of a page, and how many there are on all pages."""
        name = page.sort.removeprefix("-")
        turned = "desc" if page.sort.startswith("-") else "asc"
        order = f"{self.orders[name]} {turned} nulls last, " if name and not page.after else ""
        total = await connection.fetchval(
            f"select count(*) from ({self.select}) as one where {where}",  # noqa: S608 - ours
            *where.values,
        )
        where.add(f"{self.key} > {{}}", page.after)
        rows = await connection.fetch(
            f"select * from ({self.select}) as one where {where} "  # noqa: S608 - ours
            f"order by {order}{self.key} {turned} offset {page.offset:d} limit {page.limit:d}",
            *where.values,
        )
        return rows, total


def _escaped(word: str) -> str:
    """The word without what a pattern would take for something else."""
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
