"""The sentence: the benefit, when it is given, and how often."""

from collections.abc import Iterator

from services.emission.sentence.benefits import Offer, offer
from services.emission.sentence.conditions import all_of, clauses
from services.emission.sentence.names import Names
from services.emission.sentence.periods import each
from services.emission.sentence.writer import VOCABULARIES, Writer
from shared.events.conditions import Condition, PromoCode, ReceiptTotal
from shared.events.promotion import Instrument, LimitRule
from shared.wording import Language


def sentence(instrument: Instrument, names: Names, language: Language) -> str:
    """The instrument as a marketer would say it: "10% off the receipt from 300.00 with a code of WELCOME, first 1000"."""
    writer = Writer(language, VOCABULARIES[language], names)
    given = offer(writer, instrument.benefit)
    conditions = list(all_of(instrument.conditions))
    total = next((one for one in conditions if isinstance(one, ReceiptTotal)), None)
    code = next((one for one in conditions if isinstance(one, PromoCode)), None)
    words = [given.given]
    if total is not None:
        words.append(_total(writer, given, total))
    if code is not None:
        words.append(_code(writer, code))
    rest: list[Condition] = [one for one in conditions if one is not total and one is not code]
    if rest:
        together = clauses(writer, rest, instrument.processing_period)
        words.append(writer.say("when", clauses=together))
    whole = ", ".join([" ".join(words), *given.notes, *_bounds(writer, instrument, code)])
    return whole[0].upper() + whole[1:]


def _total(writer: Writer, given: Offer, total: ReceiptTotal) -> str:
    compare = total.compare
    shown = [writer.money(compare.value), writer.money(compare.upper or 0)]
    value = writer.say(f"total {compare.op}", value=shown[0], upper=shown[1])
    return value if given.of_receipt else writer.say("on receipts", value=value)


def _code(writer: Writer, code: PromoCode) -> str:
    phrase = "with own code" if code.own else "with code"
    return writer.say(phrase, name=writer.emission(code.emission_id))


def _bounds(writer: Writer, instrument: Instrument, code: PromoCode | None) -> Iterator[str]:
    """How often it is given, and what else it keeps to."""
    if instrument.repeat is not None:
        times = instrument.repeat.max_times
        yield writer.say("repeat") if times is None else writer.counted("repeat at most", times)
    if code is not None and code.cap is not None:
        yield _redemptions(writer, instrument, LimitRule(redemptions=code.cap))
    if instrument.max_redemptions is not None:
        in_all = LimitRule(redemptions=instrument.max_redemptions)
        yield _redemptions(writer, instrument, in_all)
    for rule in instrument.limits:
        yield _redemptions(writer, instrument, rule) or _money(writer, instrument, rule)
    yield from _terms(writer, instrument)


def _terms(writer: Writer, instrument: Instrument) -> Iterator[str]:
    if instrument.trigger == "on_period_end":
        period = each(writer, instrument.processing_period)
        end = "on_period_end" if period else "on_campaign_end"
        yield writer.say(end, period=period)
    if instrument.include_discounted:
        yield writer.say("include_discounted")
    if instrument.stacking == "exclusive":
        yield writer.say("exclusive")
    if instrument.best_of is not None:
        yield writer.say("best_of", group=writer.quoted(instrument.best_of))
    if instrument.on_return == "keep":
        yield writer.say("keep")


def _redemptions(writer: Writer, instrument: Instrument, rule: LimitRule) -> str:
    """A limit of redemptions; nothing for one of money."""
    if rule.redemptions is None:
        return ""
    if not rule.per and instrument.processing_period == "campaign":
        return writer.counted("first", rule.redemptions)
    return _within(writer, instrument, rule, writer.counted("at most times", rule.redemptions))


def _money(writer: Writer, instrument: Instrument, rule: LimitRule) -> str:
    most = writer.say("discounts at most", money=writer.money(rule.money or 0))
    return _within(writer, instrument, rule, most)


def _within(writer: Writer, instrument: Instrument, rule: LimitRule, most: str) -> str:
    """The bound, for each of whom it counts apart, over which period."""
    of = [writer.say(f"per {one}") for one in rule.per]
    apart = [writer.listed(of, "and")] if of else []
    period = each(writer, instrument.processing_period)
    return " ".join([most, *apart, *([period] if period else [])])
