"""The query parameters of the statistics, validated; each error names its parameter."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
)
from pydantic_core import PydanticCustomError

from services.analytics.dimensions import Selection
from services.analytics.reading import Question
from services.analytics.window import Period, Step, Window
from shared.events.values import Currency, Device, Id, Text

_DATE = re.compile(r"\d{4}-\d\d-\d\d[Tt ]")


def _zone(name: str) -> str:
    if name not in _zones():
        code = "time_zone"
        raise PydanticCustomError(code, "is not the name of a time zone such as Europe/Warsaw")
    return name


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


TimeZone = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_zone)]


def _written_out(bound: str) -> str:
    if not _DATE.match(bound):
        code = "instant"
        raise PydanticCustomError(code, "is not an instant as 2026-11-25T18:00:00+02:00 (RFC 3339)")
    return bound


# What the arithmetic of windows and every server can hold. Pydantic would also take seconds and
# milliseconds since 1970, and guess which of them it was given.
Bound = Annotated[
    AwareDatetime,
    BeforeValidator(_written_out),
    Field(ge=datetime(1970, 1, 1, tzinfo=UTC), le=datetime(3000, 1, 1, tzinfo=UTC)),
]
Format = Annotated[
    Literal["json", "csv"], Field(description="csv: the rows as a table, money in minor units")
]
_ROWS = 100
_ROWS_OF_CSV = 100_000
Limit = Annotated[int, Field(ge=1, le=1_000, description="rows at most")]


class When(BaseModel):
    """When: ``from`` ≤ minute < ``to``, or a period; without either, always."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    from_: Bound | None = Field(None, alias="from", description="RFC 3339, with zone")
    to: Bound | None = Field(None, description="RFC 3339, with zone; excluded")
    period: Period | None = Field(
        None, description="instead of from and to: ends now and moves on with the time"
    )
    time_zone: TimeZone = Field("UTC", description="whose days and hours count")

    @field_validator("to")
    @classmethod
    def _after_from(cls, to: datetime | None, info: ValidationInfo) -> datetime | None:
        since = info.data.get("from_")
        if to is not None and since is not None and to <= since:
            code = "empty_window"
            raise PydanticCustomError(code, "must be after from")
        return to

    @field_validator("period")
    @classmethod
    def _instead(cls, period: Period | None, info: ValidationInfo) -> Period | None:
        if period is not None and (info.data.get("from_") or info.data.get("to")):
            code = "two_windows"
            raise PydanticCustomError(code, "comes instead of from and to, not with them")
        return period


class Where(BaseModel):
    """What is counted."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    campaign_id: Id | None = Field(None, description="instruments only: receipts have no campaign")
    instrument_id: Id | None = Field(None, description="instruments only")
    emission_id: Id | None = Field(
        None, description="what was got with codes of it: neither receipts nor refusals know codes"
    )
    store_id: Id | None = None
    device: Device | None = None
    region: Text | None = None

    @property
    def selection(self) -> Selection:
        """What these parameters choose."""
        names = Where.model_fields
        return Selection(**{name: getattr(self, name) for name in names})


_PLACED = {"campaign_id", "store_id", "device", "region", "currency"}
_Currency = Annotated[
    Currency | None,
    Field(
        description="ISO 4217; default: that of the campaign or code, else the one with most receipts"
    ),
]


class Filter(When, Where):
    """What is counted and when."""

    currency: _Currency = None

    @property
    def question(self) -> Question:
        """The question that these parameters ask."""
        return Question(
            selection=replace(self.selection, currency=self.currency),
            window=Window(self.from_, self.to),
            period=self.period,
            time_zone=self.time_zone,
        )


class TableFilter(Filter):
    """A filter and the form of the answer."""

    format: Format = "json"


class SeriesFilter(TableFilter):
    """A filter and the step of the series."""

    step: Step | None = Field(None, description="default: one that gives a readable chart")

    @property
    def question(self) -> Question:
        """The question that these parameters ask."""
        return replace(super().question, step=self.step)


class RowsFilter(TableFilter):
    """A filter and how many rows are wanted."""

    limit: Limit | None = Field(None, description="default: 100, or all as CSV")

    @property
    def question(self) -> Question:
        """The question that these parameters ask."""
        default = _ROWS if self.format == "json" else _ROWS_OF_CSV
        return replace(super().question, limit=self.limit or default)


class StreamFilter(Filter):
    """A filter, the step of the series, and how many rows each table may have."""

    step: Step | None = None
    limit: Limit = 50

    @property
    def question(self) -> Question:
        """The question that these parameters ask."""
        return replace(super().question, step=self.step, limit=self.limit)


class ActivationsFilter(Where):
    """What is followed, and with how many of the latest it begins."""

    limit: Limit = 50


class ActivationsTableFilter(ActivationsFilter):
    """The same, and the form of the answer."""

    format: Format = "json"


class DaysFilter(When):
    """What of campaigns is counted and when: whole days, those of UTC with the dates of the window's days."""

    format: Format = "json"
    campaign_id: Id | None = None
    store_id: Id | None = None
    device: Device | None = None
    region: Text | None = None
    currency: _Currency = None

    @property
    def question(self) -> Question:
        """The question that these parameters ask."""
        chosen = self.model_dump(include=_PLACED)
        return replace(_asked_by(self), selection=Selection(**chosen))


class CustomersFilter(When):
    """Which customers are counted and when: whole days, as in ``DaysFilter``."""

    format: Format = "json"
    campaign_id: Id | None = Field(None, description="those who used a benefit of it")
    store_id: Id | None = None
    device: Device | None = None
    region: Text | None = None
    currency: Currency | None = Field(None, description="ISO 4217; default: any")

    @property
    def question(self) -> Question:
        """The question that these parameters ask."""
        chosen = self.model_dump(include=_PLACED)
        return replace(_asked_by(self), selection=Selection(**chosen))


class CategoriesFilter(When):
    """Of what baskets are counted and when, and how many rows: whole days, as in ``DaysFilter``."""

    format: Format = "json"
    campaign_id: Id | None = None
    instrument_id: Id | None = None
    emission_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{0,64}$")] | None = Field(
        None, description="of the code that was used; empty: without one"
    )
    currency: _Currency = None
    limit: Limit = 100

    @property
    def question(self) -> Question:
        """The question that these parameters ask."""
        chosen = self.model_dump(include={"campaign_id", "instrument_id", "currency"})
        return replace(_asked_by(self), selection=Selection(**chosen), limit=self.limit)


class CapsFilter(BaseModel):
    """Whose caps are told: of one campaign, or of all that are not finished."""

    model_config = ConfigDict(extra="forbid")

    format: Format = "json"
    campaign_id: Id | None = None


def _asked_by(when: When) -> Question:
    """A question about everything then."""
    return Question(
        window=Window(when.from_, when.to), period=when.period, time_zone=when.time_zone
    )
