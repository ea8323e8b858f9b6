"""Where traffic is little: figures reckoned by hand, and what is suggested of them."""

from datetime import date

from services.customers.regions.customers import counted, extended
from services.customers.regions.traffic import (
    WEEKS,
    Finding,
    Region,
    findings,
    first_week,
    this_week,
    weekly,
)


def region(name: str, before: int, recent: int, stores: int = 0) -> Region:
    """Purchases per week before, and recently."""
    return Region(name, (before,) * 8 + (recent,) * 4, stores, 0, 0)


def found(*regions: Region) -> dict[str, Finding]:
    return {one.region.region: one for one in findings(regions)}


def test_a_region_is_compared_with_its_past_and_with_the_chain() -> None:
    # North: 400 a week, then 280; South 600, then 660: the chain 1,000, then 940.
    all_found = found(region("north", 400, 280), region("south", 600, 660))
    north = all_found["north"]
    assert (north.region.recent, north.region.before) == (1_120, 3_200)
    assert north.change == -3_000
    assert north.chain_change == -600
    assert north.against_chain == -2_553  # 0.70 / 0.94 = 0.7447
    assert north.sure
    assert north.reasons == ("falls_behind",)
    south = all_found["south"]
    assert (south.change, south.against_chain, south.reasons) == (1_000, 1_702, ())


def test_what_may_be_chance_is_no_reason() -> None:
    few = found(region("north", 15, 13), region("south", 1_000, 1_000))["north"]
    assert few.against_chain is not None
    assert few.against_chain < -1_000
    assert not few.sure
    assert few.reasons == ()


def test_where_the_whole_chain_falls_no_region_is_behind() -> None:
    both = found(region("north", 400, 200), region("south", 600, 300))
    assert [one.change for one in both.values()] == [-5_000, -5_000]
    assert [one.against_chain for one in both.values()] == [0, 0]
    assert [one.reasons for one in both.values()] == [(), ()]


def test_few_purchases_per_store_are_a_reason_whatever_the_trend() -> None:
    both = found(region("north", 100, 100, stores=2), region("south", 900, 900, stores=8))
    # 50 per store and week against 100 of the chain's 10 stores.
    assert both["north"].per_store == 5_000
    assert both["north"].reasons == ("few_per_store",)
    assert both["south"].per_store == 11_250
    assert (
        found(region("a", 60, 60, stores=1), region("b", 140, 140, stores=1))["a"].per_store
        == 6_000
    )
    with_other = found(
        region("north", 100, 100, stores=2),
        region("south", 900, 900, stores=8),
        region("?", 0, 500),
    )
    assert with_other["north"].per_store == 5_000  # of whose stores nothing is known does not count
    assert found(region("a", 60, 60, stores=1), region("b", 140, 140, stores=1))["a"].reasons == ()


def test_of_too_little_nothing_is_told() -> None:
    new = found(region("new", 0, 40), region("old", 500, 500))["new"]
    assert (new.change, new.against_chain, new.sure) == (None, None, False)
    alone = found(region("only", 500, 100))["only"]
    assert (alone.change, alone.against_chain, alone.per_store) == (-8_000, None, None)
    assert alone.reasons == ()
    nothing = found(region("a", 0, 0), region("b", 0, 0))["a"]
    assert (nothing.change, nothing.per_store, nothing.reasons) == (None, None, ())
    closed = found(region("closed", 100, 0), region("open", 500, 500, stores=1))["closed"]
    assert (closed.against_chain, closed.per_store) == (-10_000, None)


def test_those_with_reasons_come_first_the_most_behind_before_others() -> None:
    order = [
        one.region.region
        for one in findings(
            [
                region("even", 500, 500),
                region("behind", 500, 350),
                region("far behind", 500, 200),
                region("new", 0, 100),
            ]
        )
    ]
    assert order == ["far behind", "behind", "even", "new"]


def test_weeks_are_whole_ones_from_monday() -> None:
    monday, sunday = date(2025, 12, 1), date(2025, 12, 7)
    assert this_week(sunday) == this_week(monday) == monday
    assert first_week(sunday) == date(2025, 9, 8)
    by_week = {date(2025, 9, 8): 3, date(2025, 11, 24): 5, monday: 9, date(2025, 9, 1): 9}
    assert weekly(by_week, sunday) == (3, *[0] * (WEEKS - 2), 5)


def test_customers_are_counted_once_whichever_week_they_come_in() -> None:
    first = extended(None, ["a", "b"])
    second = extended(extended(None, ["b"]), ["c", "b"])
    assert counted([first, second]) == 3
    assert counted([]) == 0
