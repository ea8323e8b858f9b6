"""Backtests: drafts, caps in the order of time, and what a recording gets with a draft beside it."""

import json
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pytest

from services.evaluator.backtest import reading
from services.evaluator.backtest.caps import Entry, Key, refusal_name, rule_name, settle
from services.evaluator.backtest.draft import Draft, KnownEmissions, Plan, Request, plan
from services.evaluator.backtest.folding import Page, fold, in_order
from services.evaluator.backtest.reading import decided
from services.evaluator.backtest.trial import (
    Gave,
    Outcome,
    Recorded,
    Recording,
    Taken,
    Trial,
    deltas,
    rules_of,
    trial,
)
from services.evaluator.recording import decode_facts
from shared.codec import InvalidMessageError, decode, encode
from shared.events.checkout import Cart
from shared.events.conditions import PaidBy
from shared.events.promotion import Campaign, LimitRule
from tests.builders import (
    NOON,
    ZONE,
    campaign,
    cart,
    code,
    emission,
    instrument,
    line,
    percent_off,
    products,
    quantity_of,
    ruleset,
    staff_discount,
    total,
    utc,
)
from tests.recorded import Recorder

MINUTE = timedelta(minutes=1)
NOTHING_KNOWN = KnownEmissions({}, {})
ZONES = frozenset(["Europe/Vienna", "UTC"])


def request(**values: Any) -> Request:
    """A draft of 5 to 31 December in Vienna, over its first week."""
    draft = {
        "campaign_id": "draft",
        "name": "Draft",
        "time_zone": "Europe/Vienna",
        "first_day": date(2026, 12, 5),
        "last_day": date(2026, 12, 31),
        "instruments": (instrument("ten"),),
    }
    given = {name: values.pop(name) for name in ("start", "end", "move") if name in values}
    options = {"start": date(2026, 12, 5), "end": date(2026, 12, 12), **given}
    return Request(campaign=Draft(**{**draft, **values}), **options)


def planned(asked: Request, known: KnownEmissions = NOTHING_KNOWN) -> Plan:
    """The request as it would be run."""
    return plan(asked, known, ZONES)


def test_days_begin_at_midnight_in_the_drafts_time_zone() -> None:
    found = planned(request())
    assert (found.start, found.end) == (utc(2026, 12, 4, 23), utc(2026, 12, 11, 23))
    assert (found.campaign.starts_at, found.campaign.ends_at) == (
        utc(2026, 12, 4, 23),
        utc(2026, 12, 31, 23),
    )


def test_a_moved_campaign_begins_with_the_interval_and_keeps_its_length() -> None:
    found = planned(request(start=date(2026, 3, 1), end=date(2026, 3, 8), move=True))
    assert found.campaign.starts_at == utc(2026, 2, 28, 23)
    assert found.campaign.ends_at == utc(2026, 3, 27, 23)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"time_zone": "Mars/Base"}, "campaign.time_zone"),
        ({"last_day": date(2026, 12, 1)}, "campaign.last_day"),
        ({"start": date(2026, 3, 1), "end": date(2026, 3, 2)}, "campaign.first_day"),
        ({"end": date(2026, 12, 5)}, "to"),
        ({"first_day": date(1970, 1, 1), "last_day": date(9998, 12, 31), "move": True}, "from"),
        (
            {"instruments": (instrument("a"), instrument("a"))},
            "campaign.instruments.1.instrument_id",
        ),
        (
            {"instruments": (instrument("a", [code("NEW")]),)},
            "campaign.instruments.0.conditions.0.emission_id",
        ),
    ],
)
def test_what_cannot_be_run_is_refused_by_field(values: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidMessageError) as caught:
        planned(request(**values))
    assert [error.field for error in caught.value.errors] == [field]


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "9999-12-31T23:00:00Z"])
@pytest.mark.parametrize("bound", ["from", "to"])
def test_a_day_that_no_time_zone_can_express_is_refused(bound: str, day: str) -> None:
    """Midnight of the first day of all is, east of Greenwich, before all time."""
    body = json.loads(request().model_dump_json(by_alias=True))
    with pytest.raises(InvalidMessageError, match=bound):
        decode(Request, json.dumps(body | {bound: day}).encode())


def test_an_unknown_field_of_the_draft_is_refused() -> None:
    body = request().model_dump_json(by_alias=True).replace('"comment":null', '"coment":"x"')
    with pytest.raises(InvalidMessageError, match=r"campaign\.coment"):
        decode(Request, body.encode())


def test_emissions_are_known_by_the_draft_by_campaigns_or_by_their_codes() -> None:
    asked = request(
        instruments=(
            instrument("a", [code("A")]),
            instrument("b", [code("B")]),
            instrument("c", [code("C")]),
        ),
        emissions=(emission("A", kind="personal", single_use=True, posted_codes=7),),
    )
    found = planned(asked, KnownEmissions({"C": 3}, {"A": emission("A"), "B": emission("B")}))
    known = {e.emission_id: (e.single_use, e.posted_codes) for e in found.campaign.emissions}
    assert known == {"A": (True, 7), "B": (False, 1), "C": (True, 3)}


def entry(
    n: int,
    limits: Mapping[str, int],
    *,
    paid: bool = True,
    discount: int = 100,
    at: int | None = None,
) -> Entry:
    """The n-th receipt: the instrument ``ten`` takes one of each limit (its cap), or its discount of money."""
    taken = [
        Taken("ten", limit, discount if "money" in limit else 1, cap, "money" in limit, None)
        for limit, cap in limits.items()
    ]
    when = NOON + (n if at is None else at) * MINUTE
    recorded = Recorded(b"%d" % n, f"r{n}", when, "s", "North", "till", None, paid, 1_000, ())
    first = Outcome((Gave("draft", "ten", discount),), (), (), tuple(taken))
    return Entry(recorded, first, (("ten", tuple(limits)),))


def test_a_cap_goes_to_the_first_and_is_used_up_at_the_last_of_them() -> None:
    settled = settle([entry(n, {"draft/ten": 2}) for n in range(4)], {})
    assert [bool(one.gave) for one in settled.outcomes] == [True, True, False, False]
    cap = settled.caps.rules["draft/ten"]
    assert (cap.used, cap.refused, cap.full_at) == (2, 2, NOON + MINUTE)
    assert settled.outcomes[2].missed[0].reason == "limit_reached"


def test_an_unpaid_cart_uses_nothing_up() -> None:
    entries = [entry(n, {"draft/ten": 1}, paid=n == 2) for n in range(4)]
    assert [bool(o.gave) for o in settle(entries, {}).outcomes] == [True, True, True, False]


def test_money_is_paid_whole_or_not_at_all() -> None:
    entries = [entry(n, {"draft/ten/~money": 250}, discount=d) for n, d in enumerate([200, 60, 50])]
    settled = settle(entries, {})
    assert [bool(one.gave) for one in settled.outcomes] == [True, False, True]
    assert settled.caps.rules["draft/ten/~money"].used == 250


def test_limits_of_one_instrument_are_taken_together_or_not_at_all() -> None:
    each = [{"draft/ten/~customer=a": 1, "draft/ten": 2}] * 2 + [
        {"draft/ten/~customer=b": 1, "draft/ten": 2}
    ]
    settled = settle([entry(n, limits) for n, limits in enumerate(each)], {})
    assert [bool(one.gave) for one in settled.outcomes] == [True, False, True]


def test_a_receipt_that_another_instrument_may_still_apply_to_is_decided_again() -> None:
    entries = [
        Entry(one.recorded, one.first, (*(one.rivals or ()), ("five", ())))
        for one in (entry(n, {"draft/ten": 1}) for n in range(2))
    ]
    settled = settle(entries, {})
    key: Key = (b"1", (("draft/ten", 0),))
    assert settled.missing == [key]
    five = Outcome((Gave("draft", "five", 50),), (), (), ())
    settled = settle(entries, {key: five})
    assert (settled.missing, settled.outcomes[1]) == ([], five)


@pytest.mark.parametrize(
    ("limit_id", "name", "refusal"),
    [
        ("draft/ten", "draft/ten", None),
        (
            "draft/ten/~customer.day=C1,2026-12-01@2026-12-01",
            "draft/ten/~customer.day",
            "limit.customer.day",
        ),
        ("draft/ten/code@7d", "draft/ten/code", "code"),
        ("draft/~money", "draft/~money", "campaign_limit.money"),
        ("draft/~", "draft/~", "campaign_limit"),
        ("code:00ff", "single-use codes", "single-use codes"),
    ],
)
def test_limits_of_one_rule_have_one_name(limit_id: str, name: str, refusal: str | None) -> None:
    """And refusals call it what the engine calls it."""
    assert rule_name(limit_id) == name
    assert refusal_name(limit_id) == refusal


def tried(draft: Campaign, shop: Recorder, asked: Cart, *, assume: bool = False) -> Trial | None:
    """The cart decided by the shop, then tried with the draft."""
    shop.decide(asked)
    last = shop.decided[-1]
    rules = ruleset(*shop.campaigns, draft, version=shop.version)
    facts = decode_facts(last.facts)
    return trial(draft, rules_of(draft), Recording(asked, facts, {}), rules, assume_codes=assume)


def test_a_live_limit_is_as_full_as_it_was_recorded() -> None:
    live = campaign("live", [instrument("one", max_redemptions=1)], priority=-1)
    shop = Recorder([live])
    draft = campaign("draft", [instrument("ten")])
    first = tried(draft, shop, cart(receipt_id="r1"))
    second = tried(draft, shop, cart(receipt_id="r2"))
    assert first is not None
    assert second is not None
    assert [g.discount for g in first.decide().live] == [90]
    assert second.decide().live == ()


def test_an_exclusive_draft_displaces_what_was_given() -> None:
    shop = Recorder([campaign("live", [instrument("five", benefit=percent_off(500))], priority=-1)])
    draft = campaign("draft", [instrument("ten", stacking="exclusive")])
    found = tried(draft, shop, cart())
    assert found is not None
    before = decided(shop.decided[-1].decision).gave
    [(key, delta)] = deltas(before, found.decide().live).items()
    assert (key, delta.lost, delta.discount) == (("live", "five"), True, -50)


def test_a_draft_that_asks_for_nothing_on_the_receipt_is_not_considered() -> None:
    draft = campaign("draft", [instrument("word", [code("WELCOME")])])
    assert tried(draft, Recorder([]), cart()) is None


def test_assumed_codes_are_presented_by_every_receipt() -> None:
    draft = campaign("draft", [instrument("word", [code("WELCOME", cap=5)])])
    found = tried(draft, Recorder([]), cart(), assume=True)
    assert found is not None
    assert [t.limit_id for t in found.decide().taken] == ["draft/word/code"]


def test_a_word_that_was_unknown_then_is_recognised() -> None:
    draft = campaign("draft", [instrument("word", [code("WELCOME")])])
    shop = Recorder([])
    asked = cart(codes=["WELCOME"])
    shop.decide(asked)
    facts = decode_facts(shop.decided[-1].facts)
    for ends, missed in ((None, None), (asked.occurred_at, "code_not_valid")):
        known = {facts.codes[0].digest: ("WELCOME", None, ends)}
        recording = Recording(asked, facts, known)
        found = trial(draft, rules_of(draft), recording, ruleset(draft), assume_codes=False)
        assert found is not None
        assert [one.reason for one in found.missed() or ()] == ([missed] if missed else [])


def test_why_the_draft_is_not_met_is_told_with_the_gap() -> None:
    found = tried(
        campaign("draft", [instrument("ten", [total(5_000)])]),
        Recorder([]),
        cart([line(amount=4_000)]),
    )
    assert found is not None
    [missed] = found.missed() or ()
    assert (missed.reason, missed.missing, missed.near) == ("condition_not_met", 1_000, True)


def test_without_a_customer_an_instrument_with_a_limit_of_theirs_is_no_rival() -> None:
    limits = (LimitRule(per=("customer",), redemptions=1),)
    draft = campaign(
        "draft", [instrument("ten", max_redemptions=3), instrument("own", limits=limits)]
    )
    anonymous = tried(draft, Recorder([]), cart())
    known = tried(draft, Recorder([]), cart(customer_id="c"))
    assert anonymous is not None
    assert known is not None
    assert anonymous.rivals() == (("ten", ("draft/ten",)),)
    assert [one for one, _ in known.rivals() or ()] == ["ten", "own"]


def test_a_recorded_body_is_decided_as_its_contract_reads_it() -> None:
    lines = [
        line(2, amount=3_000, quantity=1_500, group="g", brand="b", attributes={"a": "x"}),
        line(1, amount=2_000, discounts=(staff_discount(),), min_unit_price=1_900),
        line(3, amount=900, no_promo=True),
    ]
    draft = campaign(
        "draft",
        [
            instrument("paid", [PaidBy(methods=("card",))], include_discounted=True),
            instrument("goods", [quantity_of(products(groups=["g"]), 1_500)]),
        ],
    )
    shop = Recorder([])
    asked = cart(lines, payment_methods=("card",), customer_id="c", channel="web")
    whole = tried(draft, shop, asked)
    facts = decode_facts(shop.decided[-1].facts)
    recording = Recording(reading.event(encode(asked)), facts, {})
    read = trial(draft, rules_of(draft), recording, ruleset(draft), assume_codes=False)
    assert whole is not None
    assert read is not None
    assert len(whole.decide().gave) == 2
    assert read.decide() == whole.decide()


def test_a_cap_that_nobody_came_to_is_in_the_report_with_all_of_it_left() -> None:
    asked = planned(request(instruments=(instrument("ten", max_redemptions=3),)))
    report = fold(asked, Page(), settle([], {}))
    [cap] = report.caps
    assert (cap.name, cap.used, cap.left, cap.full_at) == ("draft/ten", 0, 3, None)
    assert report.receipts == 0
    assert '"from":' in encode(report).decode()


def test_pages_make_the_same_report_in_whatever_order_they_come() -> None:
    asked = planned(request(instruments=(instrument("ten", max_redemptions=2),)))

    def pages() -> list[Page]:
        found = []
        for n in range(4):
            page = Page()
            one = entry(n, {"draft/ten": 2})
            page.look_at(one.recorded, "EUR", ZONE)
            page.entries.append(one)
            found.append(page)
        return found

    reports = []
    for order in (pages(), pages()[::-1]):
        whole = Page()
        for page in order:
            whole.add(page)
        whole.entries = in_order(whole.entries)
        reports.append(fold(asked, whole, settle(whole.entries, {})))
    assert reports[0] == reports[1]
    assert (reports[0].granted, reports[0].discount, reports[0].revenue) == (2, 200, 4_000)
