"""Where a web shop's customer is, as statistics count it: by the IP address, which is forgotten at once.

The address comes with a request in ``HEADER``, said by the shop's server, and becomes a name by the operator's
database (MaxMind's format). It is in no event, answer, recording or log.
"""

from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import maxminddb

from shared.events.checkout import Cart, Sale

HEADER = "Tillstream-Customer-Address"
_PLACED = ("web", "app")
_LONGEST = 200


class NoAddressError(ValueError):
    """What was said is no IP address."""


@dataclass(frozen=True, slots=True)
class Regions:
    """Names regions by the database, if there is one."""

    database: maxminddb.Reader | None = None

    @classmethod
    def read(cls, path: Path | None) -> "Regions":
        """Raises ``OSError`` or ``maxminddb.InvalidDatabaseError`` if the file cannot be used."""
        return cls(maxminddb.open_database(path) if path else None)

    def of(self, event: Cart | Sale, address: str | None) -> str | None:
        """Where its customer is: country and subdivision; None: unknown, or not by web or app.

        Raises ``NoAddressError`` for what is no address, also without a database.
        """
        if address is None:
            return None
        try:
            known = ip_address(address.strip())
        except ValueError:
            raise NoAddressError from None
        if self.database is None or event.channel not in _PLACED:
            return None
        if known.version == 6 and self.database.metadata().ip_version == 4:  # noqa: PLR2004
            return None
        return _name(self.database.get(known))


def _name(found: Any) -> str | None:
    """In English, as the shapes of country and city databases have it."""
    if not isinstance(found, dict):
        return None
    subdivisions = found.get("subdivisions")
    first = subdivisions[0] if isinstance(subdivisions, list) and subdivisions else None
    names = [name for name in map(_english, (found.get("country"), first)) if name]
    return ", ".join(names)[:_LONGEST] or None


def _english(place: Any) -> str | None:
    names = place.get("names") if isinstance(place, dict) else None
    name = names.get("en") if isinstance(names, dict) else None
    return name if isinstance(name, str) and name.isprintable() else None
