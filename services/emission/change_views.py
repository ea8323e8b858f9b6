"""What the authoring API answers with of changes."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from services.emission.history import differences
from services.emission.store.changes import Kept
from shared.events.values import Event


class DifferenceView(Event):
    """A field before and after a change; null: it was not there, or is no more."""

    field: str
    before: Any
    after: Any


class VersionView(Event):
    """A change in the history of one thing; ``version`` counts from 1.

    ``published``: the version of a campaign that left with it.
    """

    version: int
    at: datetime
    by: str
    action: str
    published: int | None = None
    changes: list[DifferenceView]

    @classmethod
    def of(cls, kept: Kept) -> "VersionView":
        """The view of a change."""
        after = None if kept.change.action == "exported" else kept.change.body
        found = [one for one in differences(kept.before, after) if one.field != "version"]
        return cls(
            version=kept.number,
            at=kept.at,
            by=kept.change.actor,
            action=kept.change.action,
            published=((after or {}).get("version") or None),
            changes=[DifferenceView(**asdict(one)) for one in found],
        )


class History(Event):
    """A page of the changes of one thing, the newest first."""

    items: list[VersionView]
    total: int


class ChangeView(Event):
    """A change of anything; ``detail``: what it was from then on, without secrets, codes and customers."""

    change_id: int
    at: datetime
    by: str
    action: str
    kind: str
    id: str
    detail: dict[str, Any] | None

    @classmethod
    def of(cls, kept: Kept) -> "ChangeView":
        """The view of a change."""
        change = kept.change
        return cls(
            change_id=kept.number,
            at=kept.at,
            by=change.actor,
            action=change.action,
            kind=change.kind,
            id=change.id,
            detail=change.body,
        )


class Changes(Event):
    """A page of changes, the newest first; ``next`` is the ``before`` of the next page."""

    items: list[ChangeView]
    next: int | None = None
