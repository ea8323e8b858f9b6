"""One figure from several sources. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One figure; ``cells`` are its sources' values. It reconciles when they are all the same."""

    what: str
    cells: Mapping[str, int]

    @property
    def reconciles(self) -> bool:
        """Whether all sources agree."""
        return len(set(self.cells.values())) == 1


def differences(rows: Iterable[Row]) -> list[Row]:
    """The rows that do not reconcile."""
    return [row for row in rows if not row.reconciles]
