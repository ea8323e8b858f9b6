"""From whom promotions are withheld, and how long."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple

from shared.events.checkout import Cart, Sale

SubjectKind = Literal["customer", "device", "cashier"]
"""Whom promotions may be withheld from."""


class Subject(NamedTuple):
    """One of them. A cashier is called ``store:cashier``."""

    kind: SubjectKind
    name: str


class Span(NamedTuple):
    """How long a block lasts: ``since`` ≤ t < ``until`` (None: until it is lifted)."""

    since: datetime
    until: datetime | None = None

    def lasts_at(self, at: datetime) -> bool:
        """Whether it lasts at the instant."""
        return self.since <= at and (self.until is None or at < self.until)


@dataclass(frozen=True, slots=True)
class Blocks:
    """All blocks. They are few, and in memory: carts look nothing up for them."""

    spans: Mapping[Subject, Span] = field(default_factory=dict)

    def on(self, event: Cart | Sale) -> SubjectKind | None:
        """Whose block lasts at the event's instant: its customer's, its device's, its cashier's; the first of these."""
        if not self.spans:
            return None
        cashier = f"{event.store_id}:{event.cashier_id}" if event.cashier_id else None
        asked: list[tuple[SubjectKind, str | None]] = [
            ("customer", event.customer_id),
            ("device", event.device_id),
            ("cashier", cashier),
        ]
        for kind, name in asked:
            if name is not None and self.lasts(Subject(kind, name), event.occurred_at):
                return kind
        return None

    def lasts(self, subject: Subject, at: datetime) -> bool:
        """Whether the subject is blocked at the instant."""
        span = self.spans.get(subject)
        return span is not None and span.lasts_at(at)


NO_BLOCKS = Blocks()
