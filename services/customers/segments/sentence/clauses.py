"""Definitions in words: each condition is a clause, and combinations join them."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from babel import Locale

from services.customers.segments import definition as asked
from services.customers.segments.sentence.writer import VOCABULARIES, Writer
from shared.events.selection import Comparison
from shared.wording import Language

_NO_NAMES: Mapping[str, str] = {}


def sentence(
    definition: asked.Definition, language: Language, stores: Mapping[str, str] = _NO_NAMES
) -> str:
    """Who is in the segment, in words; ``stores`` are what stores are called, by their ids."""
    writer = Writer(language, VOCABULARIES[language], stores)
    return writer.say("sentence", clauses=_joined(writer, definition.conditions, "both"))


def _joined(writer: Writer, conditions: Sequence[asked.Condition], joint: str) -> str:
    alone = len(conditions) == 1
    clauses = [_clause(writer, one) if alone else _within(writer, one) for one in conditions]
    return writer.listed(clauses, joint)


def _within(writer: Writer, condition: asked.Condition) -> str:
    """The clause, in brackets if it joins others itself."""
    clause = _clause(writer, condition)
    if isinstance(condition, asked.All | asked.AnyOf) and len(condition.conditions) > 1:
        return writer.say("within", clauses=clause)
    return clause


def _clause(writer: Writer, condition: asked.Condition) -> str:
    match condition:
        case asked.All():
            return _joined(writer, condition.conditions, "both")
        case asked.AnyOf():
            return _joined(writer, condition.conditions, "either")
        case asked.Not():
            return writer.say("not", clause=_within(writer, condition.condition))
        case asked.InRfm() | asked.Expected():
            return writer.listed(_parts(writer, condition), "and")
        case asked.Purchases() | asked.PurchaseShare() | asked.Spent() | asked.AverageReceipt():
            return _of_purchases(writer, condition)
        case _:
            return _of_others(writer, condition)


def _measured(
    writer: Writer, subject: str, compare: Comparison, shown: Callable[[int], str]
) -> str:
    return writer.say("measured", subject=subject, value=writer.compared(compare, shown))


def _of_purchases(
    writer: Writer,
    condition: asked.Purchases | asked.PurchaseShare | asked.Spent | asked.AverageReceipt,
) -> str:
    only = None if isinstance(condition, asked.AverageReceipt) else condition.only
    subject = writer.say(
        condition.kind,
        only="".join(_only(writer, only)) if only else "",
        window=_window(writer, condition.days),
    )
    match condition:
        case asked.Purchases():
            shown: Callable[[int], str] = writer.number
        case asked.PurchaseShare():
            shown = writer.percent
        case asked.Spent(currency=currency) | asked.AverageReceipt(currency=currency):
            shown = writer.money(currency)
    return _measured(writer, subject, condition.compare, shown)


def _of_others(
    writer: Writer,
    condition: asked.Bought
    | asked.Returns
    | asked.DaysSinceLastPurchase
    | asked.DaysSinceFirstPurchase
    | asked.BonusBalance
    | asked.PersonalCodes,
) -> str:
    subject: str = condition.kind
    shown: Callable[[int], str] = writer.number
    words: dict[str, str] = {}
    match condition:
        case asked.Bought():
            subject = f"bought {condition.measure}"
            words = {
                "groups": writer.named(condition.groups, _NO_NAMES),
                "window": _window(writer, condition.days),
            }
            shown = _shown_of(writer, condition)
        case asked.PersonalCodes():
            subject = f"codes {condition.measure}"
            emissions = condition.emissions
            names = writer.named(emissions, _NO_NAMES) if emissions else ""
            words = {"of": writer.say("of emissions", names=names) if names else ""}
    return _measured(writer, writer.say(subject, **words), condition.compare, shown)


def _shown_of(writer: Writer, condition: asked.Bought) -> Callable[[int], str]:
    if condition.currency is not None:
        return writer.money(condition.currency)
    return writer.quantity if condition.measure == "quantity" else writer.number


def _parts(writer: Writer, condition: asked.InRfm | asked.Expected) -> Iterator[str]:
    """What one condition asks of several figures."""
    if isinstance(condition, asked.InRfm):
        if condition.classes:
            names = [writer.say(f"class {one}") for one in condition.classes]
            yield writer.say("rfm classes", names=writer.listed(names, "or"))
        for name in ("recency", "frequency", "monetary"):
            compare = getattr(condition, name)
            if compare:
                yield _measured(writer, writer.say(f"rfm {name}"), compare, writer.number)
        return
    for phrase, compare, shown in (
        ("forecast probability", condition.probability, writer.percent),
        ("forecast days", condition.expected_in_days, writer.number),
    ):
        if compare:
            yield _measured(writer, writer.say(phrase), compare, shown)


def _window(writer: Writer, days: int | None) -> str:
    return writer.say("ever") if days is None else writer.counted("last days", days)


def _only(writer: Writer, only: asked.Only) -> Iterator[str]:
    """Which purchases count."""
    for name, mark in (("promo", only.promo), ("with_code", only.with_code)):
        if mark is not None:
            yield writer.say(name if mark else f"no {name}")
    if only.stores:
        yield writer.say("stores", names=writer.named(only.stores, writer.stores))
    if only.devices:
        names = [writer.say(f"device {one}") for one in only.devices]
        yield writer.say("devices", names=writer.listed(names, "or"))
    if only.weekdays:
        wide = Locale(writer.language).days["format"]["wide"]
        names = [wide[asked.WEEKDAYS.index(one)] for one in only.weekdays]
        yield writer.say("weekdays", names=writer.listed(names, "or"))
    if only.hours:
        starts, ends = only.hours.starts, only.hours.ends
        yield writer.say("hours", starts=str(starts), ends=str(ends))
