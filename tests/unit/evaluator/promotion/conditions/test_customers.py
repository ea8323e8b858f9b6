"""Conditions on who buys, and on codes."""

from typing import Any

import pytest

from services.evaluator.promotion import PresentedCode, decide
from shared.events.conditions import (
    Birthday,
    Condition,
    CustomerGroup,
    CustomerKnown,
    CustomerSegment,
    FirstPurchase,
)
from tests.builders import (
    all_free,
    basket,
    campaign,
    code,
    emission,
    instrument,
    presented,
    ruleset,
    utc,
)


def reason(condition: Condition, **values: Any) -> str | None:
    """Why the cart does not meet the condition; a code leads to it, so that it is answered."""
    coded = campaign(
        instruments=[instrument(conditions=[code(), condition])],
        starts_at=utc(2023, 1, 1),
        ends_at=utc(2030, 1, 1),
    )
    found = decide(basket(codes=["WELCOME"], **values), ruleset(coded), all_free)
    return found.refused[0].reason if found.refused else None


@pytest.mark.parametrize(
    ("condition", "values", "said"),
    [
        (CustomerKnown(), {"customer_id": "c-1"}, None),
        (CustomerKnown(), {}, "customer_unknown"),
        (CustomerKnown(known=False), {}, None),
        (CustomerKnown(known=False), {"customer_id": "c-1"}, "condition_not_met"),
        (CustomerGroup(groups=("gold",)), {"customer_id": "c", "customer_groups": {"gold"}}, None),
        (CustomerGroup(groups=("gold",)), {"customer_id": "c"}, "wrong_customer_group"),
        (CustomerGroup(groups=("gold",)), {"customer_groups": {"gold"}}, "customer_unknown"),
        (CustomerSegment(segments=("a", "b")), {"customer_id": "c", "segments": {"b"}}, None),
        (
            CustomerSegment(segments=("a",)),
            {"customer_id": "c", "segments": {"b"}},
            "wrong_segment",
        ),
        (CustomerSegment(segments=("a",)), {"segments": {"a"}}, "customer_unknown"),
        (FirstPurchase(), {"customer_id": "c"}, None),
        (FirstPurchase(), {}, "customer_unknown"),
    ],
)
def test_who_the_customer_is(
    condition: Condition, values: dict[str, Any], said: str | None
) -> None:
    given = {**values, "segments": frozenset(values.get("segments", ()))}
    assert reason(condition, **given) == said


@pytest.mark.parametrize(
    ("birthday", "today", "before", "after", "met"),
    [
        pytest.param("12-10", (2026, 12, 10), 0, 0, True, id="today"),
        pytest.param("12-10", (2026, 12, 11), 0, 0, False, id="yesterday"),
        pytest.param("12-10", (2026, 12, 9), 0, 0, False, id="tomorrow"),
        pytest.param("12-10", (2026, 12, 7), 3, 0, True, id="three days before"),
        pytest.param("12-10", (2026, 12, 6), 3, 0, False, id="four days before"),
        pytest.param("12-10", (2026, 12, 17), 0, 7, True, id="seven days after"),
        pytest.param("12-10", (2026, 12, 18), 0, 7, False, id="eight days after"),
        pytest.param("01-02", (2026, 12, 31), 2, 0, True, id="before, over the new year"),
        pytest.param("12-30", (2026, 1, 2), 0, 3, True, id="after, over the new year"),
        pytest.param("12-30", (2026, 1, 3), 0, 3, False, id="too long after"),
        pytest.param("02-29", (2024, 2, 29), 0, 0, True, id="29 February has come"),
        pytest.param("02-29", (2024, 2, 28), 0, 0, False, id="not the 28th when there is a 29th"),
        pytest.param("02-29", (2026, 2, 28), 0, 0, True, id="else it is kept on the 28th"),
        pytest.param("02-29", (2026, 3, 1), 0, 1, True, id="and the day after that is 1 March"),
        pytest.param("06-10", (2026, 12, 7), 180, 180, True, id="180 days"),
        pytest.param("06-10", (2026, 12, 8), 0, 180, False, id="181 days"),
        pytest.param(None, (2026, 12, 10), 180, 180, False, id="not known"),
    ],
)
def test_birthdays(
    birthday: str | None, today: tuple[int, int, int], before: int, after: int, met: bool
) -> None:
    condition = Birthday(days_before=before, days_after=after)
    at = utc(*today, 12)
    said = reason(condition, customer_id="c", birthday=birthday, occurred_at=at)
    assert said == (None if met else "condition_not_met")
    assert reason(condition, birthday=birthday, occurred_at=at) == "customer_unknown"


def test_today_is_the_stores_day() -> None:
    values = {"customer_id": "c", "birthday": "12-11", "occurred_at": utc(2026, 12, 10, 23)}
    assert reason(Birthday(), **values, time_zone="Europe/Kyiv") is None
    assert reason(Birthday(), **values, time_zone="America/Sao_Paulo") == "condition_not_met"


def bound(word: str, holder: str | None, position: int = 0) -> PresentedCode:
    plain = presented(word, "BATCH", position)
    return PresentedCode(position, plain.digest, "BATCH", holder)


@pytest.mark.parametrize(
    ("holder", "customer_id", "own", "said"),
    [
        ("c-1", "c-1", True, None),
        ("c-2", "c-1", True, "code_not_yours"),
        (None, "c-1", True, "code_not_yours"),
        ("c-1", None, True, "customer_unknown"),
        (None, None, True, "customer_unknown"),
        ("c-2", "c-1", False, None),
        (None, None, False, None),
    ],
)
def test_a_code_of_ones_own(
    holder: str | None, customer_id: str | None, own: bool, said: str | None
) -> None:
    asked = instrument(conditions=[code("BATCH", own=own)])
    some = campaign(instruments=[asked], emissions=(emission("BATCH", kind="personal"),))
    of = basket(codes=[bound("B1", holder)], customer_id=customer_id)
    found = decide(of, ruleset(some), all_free)
    assert [refused.reason for refused in found.refused] == ([said] if said else [])


def test_of_several_codes_the_customers_own_is_used() -> None:
    asked = instrument(conditions=[code("BATCH", own=True)])
    some = campaign(instruments=[asked], emissions=(emission("BATCH", kind="personal"),))
    for mine in (0, 1):
        codes = [bound(f"B{n}", "c-1" if n == mine else "c-2", n) for n in range(2)]
        found = decide(basket(codes=codes, customer_id="c-1"), ruleset(some), all_free)
        assert [granted.code for granted in found.granted] == [mine]
