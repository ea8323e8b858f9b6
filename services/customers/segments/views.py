"""What the API of segments takes and answers with."""

from datetime import date, datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field

from services.customers.segments.builtin import Template
from services.customers.segments.catalogue_store import Change, Day, Row
from services.customers.segments.definition import Definition, RfmClass
from services.customers.segments.fifths_store import Kept
from services.customers.segments.preview import Found
from services.customers.segments.rfm import rfm_class
from services.customers.segments.sentence import Language, sentence
from services.customers.segments.store import Member
from shared.events.values import Event, Id, Text

TREND_DAYS = 30


class NewSegment(Event):
    """A segment to be: an id that stays, what it is called, and who is in it."""

    segment_id: Id
    name: Text
    definition: Definition


class EditedSegment(Event):
    """What a segment is to be called, and who is to be in it."""

    name: Text
    definition: Definition


class Tried(Event):
    """A definition to be tried."""

    definition: Definition


class Progress(Event):
    """``done`` of ``total`` customers have been looked at since the segment changed."""

    done: int
    total: int


class SegmentView(Event):
    """A segment. ``members``: how many are in it by now; ``progress``: while all customers are looked at anew.

    ``trend`` is the number of members at the end of each of the last 30 days (UTC), today last; only in lists.
    """

    segment_id: str
    name: str
    builtin: bool
    definition: Definition
    sentence: str
    version: int
    archived: bool
    members: int
    progress: Progress | None
    trend: tuple[int, ...] | None = None
    changed_at: datetime
    changed_by: str

    @classmethod
    def of(
        cls, row: Row, language: Language, trend: tuple[int, ...] | None = None
    ) -> "SegmentView":
        """The view of a segment."""
        progress = None
        if row.to_call is not None:
            progress = Progress(done=min(row.called, row.to_call), total=row.to_call)
        return cls(
            segment_id=row.segment_id,
            name=row.name,
            builtin=row.builtin,
            definition=row.definition,
            sentence=sentence(row.definition, language),
            version=row.version,
            archived=row.archived,
            members=row.members,
            progress=progress,
            trend=trend,
            changed_at=row.changed_at,
            changed_by=row.changed_by,
        )


class Segments(Event):
    """A page of segments, and how many there are on all pages."""

    items: tuple[SegmentView, ...]
    total: int


class MemberView(Event):
    """A customer who is in a segment, and since when."""

    customer_id: str
    since: datetime

    @classmethod
    def of(cls, member: Member) -> "MemberView":
        """The view of a member."""
        return cls(customer_id=member.customer_id, since=member.since)


class Members(Event):
    """A page of members by id; ``next`` is the ``after`` of the next page."""

    items: tuple[MemberView, ...]
    next: str | None


class ChangeView(Event):
    """What a segment was from then on, and who did it."""

    version: int
    action: Literal["added", "changed", "archived", "restored"]
    name: str
    definition: Definition
    sentence: str
    changed_at: datetime
    changed_by: str

    @classmethod
    def of(cls, change: Change, language: Language) -> "ChangeView":
        """The view of a change."""
        return cls.model_validate(
            {**change._asdict(), "sentence": sentence(change.definition, language)}
        )


class History(Event):
    """A page of changes, the newest first, and how many there are."""

    items: tuple[ChangeView, ...]
    total: int


class DayView(Event):
    """How many entered on a day (UTC), how many left, and how many were members at its end."""

    day: date
    entered: int
    left: int
    members: int


class Days(Event):
    """The last days, the earliest first."""

    items: tuple[DayView, ...]


def days_of(row: Row, counted: list[Day], today: date, number: int) -> tuple[DayView, ...]:
    """The last ``number`` days of a segment: members are reckoned back from how many there are now."""
    by_day = {one.day: one for one in counted}
    members, views = row.members, []
    for back in range(number):
        day = today - timedelta(days=back)
        one = by_day.get(day, Day(row.segment_id, day, 0, 0))
        views.append(DayView(day=day, entered=one.entered, left=one.gone, members=members))
        members -= one.entered - one.gone
    return tuple(reversed(views))


class PreviewView(Event):
    """By how many of all ``customers`` a definition is met, and some of them.

    ``exact``: all were looked at; else ``looked_at`` were, chosen at random, and the number is between ``low`` and ``high``
    with 95% certainty.
    """

    matching: int
    low: int
    high: int
    exact: bool
    looked_at: int
    customers: int
    examples: tuple[str, ...]
    sentence: str

    @classmethod
    def of(cls, found: Found, said: str) -> "PreviewView":
        """The view of what was found."""
        low, high = found.estimate.interval
        return cls(
            matching=found.estimate.expected,
            low=low,
            high=high,
            exact=found.estimate.exact,
            looked_at=found.estimate.looked_at,
            customers=found.estimate.customers,
            examples=found.examples,
            sentence=said,
        )


class TemplateView(Event):
    """What a new segment may begin as; ``needs_group``: a kind of product is yet to be chosen."""

    template_id: str
    name: str
    definition: Definition
    needs_group: bool

    @classmethod
    def of(cls, template: Template) -> "TemplateView":
        """The view of a template."""
        return cls(
            template_id=template.template_id,
            name=template.name,
            definition=template.definition,
            needs_group=template.needs_group,
        )


class Templates(Event):
    """What a new segment may begin as."""

    items: tuple[TemplateView, ...]


_Fifth = Annotated[int, Field(ge=1, le=5)]


class Cell(Event):
    """How many customers have these fifths (5 is best), and the class of the three."""

    recency: _Fifth
    frequency: _Fifth
    monetary: _Fifth
    rfm_class: RfmClass
    customers: int


class RfmView(Event):
    """Where the fifths of all customers end, from the lowest value, and how many customers are where.

    ``days`` since the last purchase, ``purchases`` within a year, and what was ``paid`` for them by currency (minor units).
    None before there were enough customers.
    """

    made_at: datetime | None
    customers: int
    days: tuple[int, ...]
    purchases: tuple[int, ...]
    paid: dict[str, tuple[int, ...]]
    cells: tuple[Cell, ...]

    @classmethod
    def of(cls, kept: Kept | None, grid: list[tuple[int, int, int, int]]) -> "RfmView":
        """The view of fifths."""
        fifths = kept.fifths if kept else None
        return cls(
            made_at=kept.made_at if kept else None,
            customers=kept.customers if kept else 0,
            days=tuple(fifths.days) if fifths else (),
            purchases=tuple(fifths.purchases) if fifths else (),
            paid={one: tuple(ends) for one, ends in fifths.paid.items()} if fifths else {},
            cells=tuple(
                Cell(
                    recency=r,
                    frequency=f,
                    monetary=m,
                    rfm_class=rfm_class(r, f, m),
                    customers=count,
                )
                for r, f, m, count in sorted(grid)
            ),
        )
