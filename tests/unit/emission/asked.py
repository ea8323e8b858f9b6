"""Requests for personal codes and the emissions that they ask."""

from datetime import UTC, datetime, timedelta
from typing import Any

from services.emission.codes import NewEmission
from shared.events.customers import CodeRequest

NOW = datetime(2026, 12, 5, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def a_request(number: int = 1, **fields: Any) -> CodeRequest:
    """A request, for an hour from now."""
    known: dict[str, Any] = {
        "request_id": f"r{number}",
        "emission_id": "e1",
        "customer_id": f"c{number}",
        "valid_until": NOW + HOUR,
        "requested_at": NOW,
    }
    return CodeRequest(**(known | fields))


def an_emission(**fields: Any) -> NewEmission:
    """An emission whose codes are made on request, unless said otherwise."""
    known: dict[str, Any] = {"emission_id": "e1", "name": "E", "kind": "personal", "count": 0}
    return NewEmission(**(known | fields))
