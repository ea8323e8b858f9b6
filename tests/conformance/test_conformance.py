"""What a marketer may rely on, case by case. How cases are written: README.md beside this file."""

import operator
from collections import Counter

import pytest
import yaml

from services.evaluator.promotion import Granted, Refused, Verdict, decide
from services.evaluator.promotion.allocation import price_groups
from services.evaluator.promotion.blocks import Subject
from services.evaluator.promotion.history import within
from services.evaluator.promotion.period_end import Buyer, compile_period_ends
from services.evaluator.receipt import ConflictError
from services.evaluator.returns import Returned, take_back
from shared.events.checkout import ReturnedLine
from tests.conformance.case import Case, cases, instant, paid
from tests.conformance.notation import Json, money, quantity

CASES = tuple(cases())
FEWEST = 150
NAME = operator.attrgetter("name")
"""Cases are called by their subjects and titles."""


def amount(unit: str | None, value: int) -> str:
    """An amount as it is written in cases."""
    if unit == "money":
        return f"{value // 100}.{value % 100:02}"
    return f"{value // 1000}.{value % 1000:03}" if unit == "quantity" else f"{value} {unit}"


def named(campaign_id: str, instrument_id: str) -> str:
    return instrument_id if campaign_id == "campaign" else f"{campaign_id}/{instrument_id}"


def shown_grant(granted: Granted) -> str:
    """``12.00 + 5 bonuses + gift 2 of mug × 3`` (the last: how often)."""
    parts = [amount("money", granted.discount)] if granted.discount else []
    parts += [f"{granted.bonuses} bonuses"] if granted.bonuses else []
    if granted.gifts:
        gifts = [
            gift.sku if gift.quantity == 1000 else f"{gift.quantity / 1000:g} of {gift.sku}"
            for gift in granted.gifts
        ]
        choice = f"choose {granted.choose} of " if granted.choose else "gift "
        parts.append(choice + " + ".join(gifts))
    return " + ".join(parts) + (f" × {granted.times}" if granted.times > 1 else "")


def shown_refusal(refused: Refused) -> str:
    """``receipt_total needs 0.01 more``; ``outranked by ten``; a reason and what it is about."""
    if refused.outranked_by:
        best = refused.outranked_by
        return f"{refused.reason} by {named(best.campaign_id, best.instrument_id)}"
    if refused.missing is not None:
        about = refused.condition or refused.reason
        return f"{about} needs {amount(refused.unit, refused.missing)} more"
    reason = "not met" if refused.reason == "condition_not_met" else refused.reason
    return f"{reason} {refused.condition}" if refused.condition else reason


def found(verdict: Verdict, case: Case) -> Json:
    """The verdict in the words of ``expect``."""
    codes = case.written.get("codes", ())
    return {
        "lines": [amount("money", line.discount) for line in verdict.lines],
        "applied": {named(g.campaign_id, g.instrument_id): shown_grant(g) for g in verdict.granted},
        "refused": {
            named(r.campaign_id, r.instrument_id): shown_refusal(r) for r in verdict.refused
        },
        "near": [
            f"{named(m.campaign_id, m.instrument_id)} needs {amount(m.unit, m.missing)} more"
            for m in verdict.near_misses
        ],
        "uses": {
            named(g.campaign_id, g.instrument_id): codes[g.code]
            for g in verdict.granted
            if g.code is not None
        },
        "price groups": [
            " + ".join(
                f"{amount('quantity', n).removesuffix('.000')} × {amount('money', price)}"
                for n, price in price_groups(quantity, line.amount - line.discount)
            )
            for line, quantity in zip(verdict.lines, [x.quantity for x in case.lines], strict=True)
        ],
        "unused codes": {codes[unused.code]: unused.reason for unused in verdict.unused_codes},
    }


def differences(case: Case, expected: Json, got: Json) -> list[str]:
    """What differs, said for a person, line by line; what is not mentioned is not asked for."""
    texts = []
    for what in [key for key in got if key in expected and expected[key] != got[key]]:
        if what == "lines" and len(expected[what]) == len(got[what]):
            pairs = zip(case.written["cart"], expected[what], got[what], strict=True)
            texts += [
                f"  {line}: discount {is_}" + ("" if is_ == due else f", but {due} was expected")
                for line, due, is_ in pairs
            ]
        else:
            texts += [f"  {what}:", f"    expected {expected[what]}", f"    got      {got[what]}"]
    return texts


def complain(case: Case, expected: Json, got: Json) -> None:
    """Fail with the case as it was written, if something differs."""
    if texts := differences(case, expected, got):
        case_text, got_text = (
            yaml.safe_dump(what, allow_unicode=True, sort_keys=False, width=120).replace("'", "")
            for what in (case.written, got)
        )
        report = [case.name, "", *texts, "", "The case:", case_text, "What was decided:", got_text]
        pytest.fail("\n".join(report), pytrace=False)


@pytest.mark.parametrize("case", [c for c in CASES if "cart" in c.written], ids=NAME)
def test_the_cart_is_decided_as_the_case_says(case: Case) -> None:
    verdict = decide(case.basket(), case.ruleset(), case.free)
    expected: Json = case.written["expect"]
    unmentioned: Json = {"lines": ["0.00"] * len(case.lines)}
    if "applied" not in expected:
        assert not verdict.bonuses, f"{case.name}: mention its bonuses"
        assert not any(granted.gifts for granted in verdict.granted), f"{case.name}: mention gifts"
    complain(case, unmentioned | expected, found(verdict, case))
    assert set(expected) <= {*found(verdict, case)}, f"{case.name}: expects what nobody compares"
    assert verdict.discount == sum(line.discount for line in verdict.lines)
    assert verdict.discount == sum(granted.discount for granted in verdict.granted)


@pytest.mark.parametrize("case", [c for c in CASES if "sold" in c.written], ids=NAME)
def test_the_money_comes_back_as_the_case_says(case: Case) -> None:
    receipt = paid("sold", instant("2026-12-10 12:00", case.zone), case.written["sold"])
    returned: dict[int, Returned] = {}
    refunds = []
    for asked in case.written["returns"]:
        lines = [] if asked == "all" else [*asked.items()]
        before = sum(back.refund for back in returned.values())
        try:
            returned |= take_back(
                receipt.sold,
                returned,
                [ReturnedLine(line=int(n), quantity=quantity(part)) for n, part in lines],
            )
        except ConflictError as conflict:
            refunds.append(conflict.reason)
            continue
        refunds.append(amount("money", sum(x.refund for x in returned.values()) - before))
    by_line = {str(n): amount("money", back.refund) for n, back in sorted(returned.items())}
    complain(case, case.written["expect"], {"refunds": refunds, "by line": by_line})
    paid_in_all = sum(line.paid for line in receipt.sold)
    assert sum(money(text) for text in refunds if text[0].isdigit()) <= paid_in_all


@pytest.mark.parametrize("case", [c for c in CASES if "ends" in c.written], ids=NAME)
def test_the_ends_of_periods_earn_what_the_case_says(case: Case) -> None:
    [end] = compile_period_ends(case.campaign("campaign", {}))
    earned = {}
    for window in end.windows():
        bought = within(case.purchases, window.start, window.end)
        groups = frozenset(case.customer.get("groups", ()))
        blocked = case.blocks().lasts(Subject("customer", "anna"), window.end)
        points = end.points(Buyer("anna", groups, frozenset(), bought, blocked=blocked), window)
        earned[f"{window.end.astimezone(case.zone):%Y-%m-%d %H:%M}"] = str(points)
    complain(case, {"ends": case.written["ends"]}, {"ends": earned})


def test_there_are_enough_cases_each_with_a_name_of_its_own() -> None:
    twice = [name for name, count in Counter(case.name for case in CASES).items() if count > 1]
    assert twice == []
    assert len(CASES) >= FEWEST
    kinds = ("cart", "sold", "ends")
    assert [c.name for c in CASES if sum(kind in c.written for kind in kinds) != 1] == []
