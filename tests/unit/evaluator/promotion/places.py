"""Distances, by another formula than the engine's."""

from math import acos, cos, radians, sin
from typing import Protocol

EARTH_RADIUS_M = 6_371_008.8


class Place(Protocol):
    @property
    def latitude_e6(self) -> int: ...

    @property
    def longitude_e6(self) -> int: ...


def metres_between(one: Place, other: Place) -> float:
    """Along the surface of a sphere, by the law of cosines."""
    north, south = radians(one.latitude_e6 / 1e6), radians(other.latitude_e6 / 1e6)
    across = radians((one.longitude_e6 - other.longitude_e6) / 1e6)
    cosine = sin(north) * sin(south) + cos(north) * cos(south) * cos(across)
    return EARTH_RADIUS_M * acos(min(1.0, cosine))
