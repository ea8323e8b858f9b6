"""The caps of campaigns with what is used of them, and when they will be used up."""

from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from services.analytics.insight import queries
from services.analytics.insight.caps import Cap, Span, span_of, whole_hour
from services.analytics.insight.figures import CapForecast, CapPeriod, CapRow, CapsAnswer
from services.analytics.insight.forecast import SEEN, Use, forecast
from services.analytics.insight.queries import Counted, Terms, Used
from services.analytics.names import instrument_names
from services.analytics.reading import Reading

_Stated = tuple[Terms, Cap, Span]


async def answer_caps(read: Reading) -> CapsAnswer:
    """The caps of the campaign that is asked for, or of all."""
    connection, now = read.connection, read.now
    stated = [
        (terms, cap, span_of(cap.period, now, terms.starts_at, terms.ends_at, terms.time_zone))
        for terms in await queries.terms(connection, read.question.selection.campaign_id)
        for cap in terms.caps
    ]
    # Those for each customer, store, day or code have as many counters as there are of these.
    counted = [one for one in stated if not one[1].per]
    used = await queries.used(connection, [_counted(*one) for one in counted])
    foretold = [one for one in counted if _state_of(one[0], one[2]) is None]
    hourly = await queries.hourly(connection, [_lately(*one, now) for one in foretold])
    used_by = dict(zip(map(id, counted), used, strict=True))
    hours_by = dict(zip(map(id, foretold), hourly, strict=True))
    names = await instrument_names(connection, [one[0].campaign_id for one in stated])
    currency = await queries.only_currency(connection)
    rows = []
    for one in stated:
        found = used_by.get(id(one))
        hours = hours_by.get(id(one), {})
        foretold_of = _forecast(one, found, hours, now) if found else None
        rows.append(_row(one, found, names, foretold_of, currency))
    return CapsAnswer(
        as_of=read.head["as_of"], counted_until=read.head["counted_until"], rows=tuple(rows)
    )


def _counted(terms: Terms, cap: Cap, span: Span) -> Counted:
    # What a cart cannot do without is used with each redemption, whichever code it names.
    emission_id = None if cap.required else cap.emission_id
    since = max(span.start, terms.starts_at)
    return Counted(terms.campaign_id, cap.instrument_id, emission_id, since, span.end)


def _lately(terms: Terms, cap: Cap, span: Span, now: datetime) -> Counted:
    """The same over the last weeks, whatever its period: they tell how fast it goes."""
    return _counted(terms, cap, span)._replace(since=max(now - SEEN, terms.starts_at), until=now)


def _state_of(terms: Terms, span: Span) -> Literal["not_running", "sliding"] | None:
    """Why nothing is foretold of a cap; None if something is."""
    if span.slides:
        return "sliding"
    return "not_running" if terms.status != "running" else None


def _used_of(cap: Cap, used: Used) -> int:
    if cap.counts == "redemptions":
        return used.uses - used.returned
    return used.money if cap.keeps else used.money - used.returned_money


def _forecast(
    one: _Stated, used: Used, hours: dict[datetime, tuple[int, int]], now: datetime
) -> CapForecast:
    terms, cap, span = one
    remaining = cap.cap - _used_of(cap, used)
    if remaining <= 0:
        return CapForecast(state="used_up")
    if why := _state_of(terms, span):
        return CapForecast(state=why)
    if not terms.starts_at <= now < terms.ends_at:
        return CapForecast(state="not_running")
    money = cap.counts == "money"
    found = forecast(
        {at: Use(amount if money else uses, uses) for at, (uses, amount) in hours.items()},
        since=whole_hour(max(now - SEEN, terms.starts_at)),
        now=now,
        until=min(span.end, terms.ends_at),
        remaining=remaining,
        zone=ZoneInfo(terms.time_zone),
    )
    return CapForecast(
        state=found.state,
        at=found.at,
        earliest=found.earliest,
        latest=found.latest,
        per_day=None if found.per_day is None else round(found.per_day, 2),
    )


def _row(
    one: _Stated,
    used: Used | None,
    names: dict[tuple[str, str], str],
    foretold: CapForecast | None,
    only_currency: str | None,
) -> CapRow:
    terms, cap, span = one
    count = None if used is None else _used_of(cap, used)
    # Before the first discount a budget is in what all stores sell in, if that is one.
    currencies = (used and used.currencies) or ({only_currency} if only_currency else set())
    money = cap.counts == "money" and len(currencies) == 1
    key = (terms.campaign_id, cap.instrument_id or "")
    scope = "campaign" if cap.instrument_id is None else "instrument"
    return CapRow(
        campaign_id=terms.campaign_id,
        campaign=terms.name,
        status=terms.status,
        instrument_id=cap.instrument_id,
        instrument=names.get(key, cap.instrument_id),
        kind="code" if cap.emission_id is not None else scope,
        emission_id=cap.emission_id,
        condition_id=cap.condition_id,
        counts=cap.counts,
        currency=next(iter(currencies)) if money else None,
        per=cap.per,
        period=CapPeriod(
            kind=cap.period.kind if cap.period else "campaign",
            days=cap.period.days if cap.period else None,
            unit=cap.period.unit if cap.period else None,
            from_=span.start,
            to=span.end,
        ),
        cap=cap.cap,
        used=count,
        remaining=None if count is None else max(0, cap.cap - count),
        forecast=foretold,
    )
