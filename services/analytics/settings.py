"""Settings of analytics."""

from pathlib import Path

from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """``regions_geojson`` is a map for the dashboard: features whose property ``name`` is a region of stores."""

    regions_geojson: Path | None = None
