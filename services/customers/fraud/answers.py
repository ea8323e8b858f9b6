"""What the API of alerts takes and answers."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from msgspec import convert, to_builtins
from pydantic import Field, StringConstraints

from services.customers.fraud import alerting
from services.customers.fraud.alerting import State
from services.customers.fraud.conduct import DAY_S, Kind, Measure
from services.customers.fraud.model import FEWEST
from services.customers.fraud.rules import MONTH_S, Counted, Rule
from services.customers.fraud.store.alerts import Action, Change
from services.customers.fraud.store.blocks import Blockable, Blocked
from services.customers.fraud.store.rules import Kept
from shared.events.customers import Alert
from shared.events.values import Event, Id, Instant

Note = Annotated[
    str, StringConstraints(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f]*$")
]
BlockedSubject = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9@+][A-Za-z0-9@+._:() -]{0,128}$", max_length=129)
]


class ChangeView(Event):
    """What was done to an alert, when, and by whom (none: by a rule)."""

    action: Action
    changed_at: datetime
    changed_by: str | None
    note: str | None

    @classmethod
    def of(cls, change: Change) -> Self:
        """The view of a change."""
        return cls(
            action=change.action,
            changed_at=change.changed_at,
            changed_by=change.changed_by,
            note=change.note,
        )


class BlockView(Event):
    """From whom promotions are withheld, until when (none: until it is lifted), and by whom (none: by a rule)."""

    subject_kind: Blockable
    subject: str
    alert_id: str | None
    until: datetime | None
    blocked_at: datetime
    blocked_by: str | None

    @classmethod
    def of(cls, block: Blocked) -> Self:
        """The view of a block."""
        return cls(
            subject_kind=block.kind,
            subject=block.subject,
            alert_id=block.alert_id,
            until=block.until,
            blocked_at=block.blocked_at,
            blocked_by=block.blocked_by,
        )


class Blocks(Event):
    """Blocks by kind and subject; ``next`` is the ``after`` of the next page."""

    items: tuple[BlockView, ...]
    next: str | None = None


class Alerts(Event):
    """Alerts, those first seen last first; ``next`` is the ``after`` of the next page."""

    items: tuple[Alert, ...]
    next: str | None = None


class AlertView(Event):
    """An alert with what became of it. ``excess``: the worst count in hundredths of its threshold.

    ``block`` is its subject's, whatever it is for.
    """

    alert: Alert
    excess: int
    history: tuple[ChangeView, ...]
    block: BlockView | None

    @classmethod
    def of(cls, state: State, history: list[Change], block: Blocked | None) -> Self:
        """The view of an alert."""
        return cls(
            alert=alerting.event(state),
            excess=state.excess,
            history=tuple(map(ChangeView.of, history)),
            block=None if block is None else BlockView.of(block),
        )


class Said(Event):
    """Why an alert is confirmed or dismissed."""

    note: Note | None = None


class BlockWanted(Event):
    """A block: for which alert, if for one; until when (none: until it is lifted), and why."""

    alert_id: Id | None = None
    until: Instant | None = None
    note: Note | None = None


_Share = Annotated[int, Field(ge=0, le=100_000, description="basis points: 10% = 1000")]


class ShareBody(Event):
    """What a measure must be of another one in the same window: from ``least`` to ``most``."""

    of: Measure
    least: _Share = 0
    most: _Share = 100_000


class TestBody(Event):
    """When a kind of subject meets a rule.

    ``measure`` is counted within ``window_s`` seconds (up to a day in steps of ten minutes, longer by days), and met
    from ``at_least`` on, if all ``shares`` hold, and it is ``times_usual`` what others have for as many receipts, on
    at least ``on_days`` days.
    """

    kind: Kind
    measure: Counted
    window_s: Annotated[int, Field(ge=600, le=MONTH_S)]
    at_least: Annotated[int, Field(ge=1, le=1_000_000)]
    shares: Annotated[tuple[ShareBody, ...], Field(max_length=3)] = ()
    times_usual: Annotated[int, Field(ge=1, le=1_000)] | None = None
    on_days: Annotated[int, Field(ge=1, le=28)] | None = None


class RuleBody(Event):
    """What may be changed of a rule. ``version`` is the one that was read.

    From a ``score`` on half-way to a test is enough (none: never). ``blocks_s``: whoever meets a test is blocked for
    so many seconds at once (none: never).
    """

    version: Annotated[int, Field(ge=0, le=10**9)]
    enabled: bool
    tests: Annotated[tuple[TestBody, ...], Field(min_length=1, max_length=20)]
    score: Annotated[int, Field(ge=0, le=10_000)] | None = None
    blocks_s: Annotated[int, Field(ge=60, le=366 * DAY_S)] | None = None

    def rule(self, name: str) -> Rule:
        """The rule of that name, so changed."""
        fields = self.model_dump(exclude={"version"}, exclude_defaults=True)
        return convert({"score": None, **fields, "rule": name}, Rule)


class RuleView(Event):
    """A rule as it holds; ``version`` 0: as it was delivered."""

    rule: str
    version: int
    enabled: bool
    tests: tuple[TestBody, ...]
    score: int | None
    blocks_s: int | None
    changed_at: datetime | None
    changed_by: str | None

    @classmethod
    def of(cls, kept: Kept) -> Self:
        """The view of a rule."""
        rule = kept.rule
        return cls(
            rule=rule.rule,
            version=kept.version,
            enabled=rule.enabled,
            tests=tuple(TestBody.model_validate(_plain(test), strict=False) for test in rule.tests),
            score=rule.score,
            blocks_s=rule.blocks_s,
            changed_at=kept.changed_at,
            changed_by=kept.changed_by,
        )


class Learnt(Event):
    """From how many alerts the score learns. ``state`` ``too_few``: there is none before so many are ``needed`` confirmed."""

    state: Literal["too_few", "learnt"]
    confirmed: int
    dismissed: int
    needed: int

    @classmethod
    def of(cls, confirmed: int, dismissed: int) -> Self:
        """The view of what was said of alerts."""
        return cls(
            state="learnt" if confirmed >= FEWEST else "too_few",
            confirmed=confirmed,
            dismissed=dismissed,
            needed=FEWEST,
        )


class Rules(Event):
    """All rules, and what the score has learnt from."""

    items: tuple[RuleView, ...]
    learnt: Learnt


def _plain(test: object) -> Any:
    return to_builtins(test)
