"""Where a web shop's customer is: by the IP address, which is forgotten at once.

The address comes with a request in ``HEADER``, said by the shop's server. It becomes the name of a region by the
operator's database (MaxMind's format), as statistics count it, and a hash under a key of the day
(``guessing.address_hash``). Itself it is in no event, answer, recording or log.
"""

from dataclasses import dataclass
from datetime import date
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Any

import maxminddb

from services.evaluator.guessing import address_hash
from shared.events.checkout import Cart, Sale

HEADER = "Tillstream-Customer-Address"
_PLACED = ("web", "app")
_LONGEST = 200


class NoAddressError(ValueError):
    """What was said is no IP address."""


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """What is known of where a customer is: the region's name, and the hash of the address."""

    region: str | None = None
    address: str | None = None


NOWHERE = Whereabouts()


@dataclass(frozen=True, slots=True)
class Regions:
    """Names regions by the database, if there is one; hashes addresses by the ``key``."""

    key: bytes
    database: maxminddb.Reader | None = None

    @classmethod
    def read(cls, key: bytes, path: Path | None) -> "Regions":
        """Raises ``OSError`` or ``maxminddb.InvalidDatabaseError`` if the file cannot be used."""
        return cls(key, maxminddb.open_database(path) if path else None)

    def of(self, event: Cart | Sale, address: str | None, day: date) -> Whereabouts:
        """Where its customer is, as of a (UTC) day: nowhere, if that is unknown, or not by web or app.

        Raises ``NoAddressError`` for what is no address, whatever the channel, also without a database.
        """
        if address is None:
            return NOWHERE
        try:
            known = ip_address(address.strip())
        except ValueError:
            raise NoAddressError from None
        if event.channel not in _PLACED:
            return NOWHERE
        return Whereabouts(self._region(known), address_hash(str(known), self.key, day))

    def _region(self, address: IPv4Address | IPv6Address) -> str | None:
        """Country and subdivision."""
        if self.database is None:
            return None
        if address.version == 6 and self.database.metadata().ip_version == 4:  # noqa: PLR2004
            return None
        return _name(self.database.get(address))


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
