"""What the API of the feed answers with."""

from datetime import datetime
from typing import Literal, Self, get_args

from services.customers.feed.erasure_store import Asked
from shared.events.customers import Erased
from shared.events.values import Event

ServiceName = Literal["customers", "emission", "evaluator", "analytics"]
SERVICES: tuple[ServiceName, ...] = get_args(ServiceName)


class ErasureAsked(Event):
    """An erasure that has begun: its report is found by this id."""

    erasure_id: str


class ErasureView(Event):
    """An erasure: what each service has reported, and which are still to report. It does not have the customer's id.

    ``requested_by`` is ``user:<login>`` or ``key:<id>``.
    """

    erasure_id: str
    requested_at: datetime
    requested_by: str
    complete: bool
    pending: tuple[ServiceName, ...]
    reports: tuple[Erased, ...]

    @classmethod
    def of(cls, asked: Asked) -> Self:
        """The view of an erasure."""
        reported = {one.service for one in asked.reports}
        pending = tuple(service for service in SERVICES if service not in reported)
        return cls(
            erasure_id=asked.erasure_id,
            requested_at=asked.requested_at,
            requested_by=asked.requested_by,
            complete=not pending,
            pending=pending,
            reports=asked.reports,
        )


class Erasures(Event):
    """Erasures, the latest first; ``next`` is the ``after`` of the next page."""

    items: tuple[ErasureView, ...]
    next: str | None = None
