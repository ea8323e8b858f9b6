"""The statistics API over the real PostgreSQL: what was folded is what is answered."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest
from aiokafka import TopicPartition

from services.analytics.freshness import freshness
from tests.builders import utc
from tests.integration.statistics import DAY, NOON, Api, Place, opened


@pytest.fixture
async def api(dsn: str) -> AsyncIterator[Api]:
    async with opened(dsn) as made:
        yield made


async def test_totals_are_sums_of_integers_and_the_average_is_rounded(api: Api) -> None:
    await api.sold(paid=1_000)
    await api.sold(NOON + timedelta(minutes=1), paid=1_001)
    await api.used(carts=3, activations=2, discount=300)
    await api.refused("limit_reached", 1)
    answer = await api.ask("totals", **DAY)
    assert answer["totals"]["receipts"] == {
        "receipts": 2,
        "total": 2_001,
        "discount": 0,
        "paid": 2_001,
        "bonuses": 0,
        "average": 1_001,
        "promo_receipts": 0,
        "promo_paid": 0,
        "average_with": None,
        "average_without": 1_001,
        "returns": 0,
        "refunded": 0,
    }
    instruments = answer["totals"]["instruments"]
    assert (instruments["carts"], instruments["activations"], instruments["discount"]) == (
        3,
        2,
        300,
    )
    assert instruments["reasons"] == [{"reason": "limit_reached", "refusals": 1}]


async def test_a_return_counts_in_its_own_time_and_leaves_that_of_its_sale_alone(api: Api) -> None:
    await api.sold(NOON - timedelta(days=1), paid=900)
    await api.used(NOON - timedelta(days=1), activations=3, discount=300)
    await api.returned(refunded=400, activations=1, discount=130)
    answer = await api.ask("totals", **DAY)
    today, yesterday = answer["totals"], answer["previous"]
    assert (today["receipts"]["receipts"], today["receipts"]["returns"]) == (0, 1)
    assert (today["receipts"]["paid"], today["receipts"]["refunded"]) == (0, 400)
    assert (today["instruments"]["gross_activations"], today["instruments"]["returned"]) == (0, 1)
    assert today["instruments"]["activations"] == -1
    assert yesterday["instruments"]["activations"] == 3
    assert yesterday["instruments"]["net_discount"] == 300
    always = (await api.ask("totals"))["totals"]["instruments"]
    assert (always["gross_activations"], always["returned"], always["activations"]) == (3, 1, 2)
    assert (always["discount"], always["returned_discount"], always["net_discount"]) == (
        300,
        130,
        170,
    )


async def test_every_answer_takes_off_what_was_returned(api: Api) -> None:
    await api.sold(paid=900)
    await api.used(activations=3, discount=300)
    await api.returned(refunded=400, activations=1, discount=130)
    points = (await api.ask("series", step="hour", **DAY))["points"]
    rows = [
        (await api.ask("instruments", **DAY))["rows"][0],
        (await api.ask("by/store", **DAY))["rows"][0]["instruments"],
        points[12]["instruments"],
    ]
    for row in rows:
        assert (row["activations"], row["gross_activations"], row["net_discount"]) == (2, 3, 170)


async def test_sums_beyond_32_bits_stay_exact(api: Api) -> None:
    for minute in range(3):
        await api.sold(NOON + timedelta(minutes=minute), paid=9_007_199_254_740_993)
    answer = await api.ask("totals", **DAY)
    assert answer["totals"]["receipts"]["paid"] == 27_021_597_764_222_979


async def test_currencies_are_never_added_and_the_most_used_is_the_default(api: Api) -> None:
    await api.sold(paid=5_000, currency="CZK", receipts=2)
    await api.sold(paid=100, currency="EUR")
    answer = await api.ask("totals", **DAY)
    assert answer["currency"] == "CZK"
    assert answer["totals"]["receipts"]["paid"] == 5_000
    assert answer["currencies"] == [
        {"currency": "CZK", "receipts": 2},
        {"currency": "EUR", "receipts": 1},
    ]
    euros = await api.ask("totals", **DAY, currency="EUR")
    assert euros["totals"]["receipts"]["paid"] == 100


async def test_decisions_count_before_the_first_receipt(api: Api) -> None:
    await api.used(carts=4, currency="CZK")
    answer = await api.ask("totals", **DAY)
    assert (answer["currency"], answer["totals"]["instruments"]["carts"]) == ("CZK", 4)


async def test_a_campaign_is_answered_in_its_own_currency(api: Api) -> None:
    await api.sold(paid=5_000, currency="EUR", receipts=9)
    await api.sold(paid=100, currency="UAH")
    await api.used(carts=1, activations=1, currency="UAH")
    answer = await api.ask("totals", **DAY, campaign_id="c1")
    assert (answer["currency"], answer["totals"]["instruments"]["activations"]) == ("UAH", 1)
    assert (await api.ask("totals", **DAY))["currency"] == "EUR"
    assert (await api.ask("totals", **DAY, campaign_id="nobody"))["currency"] == "EUR"


async def test_nothing_counted_is_zeros_without_a_currency(api: Api) -> None:
    await api.sold(NOON - timedelta(days=1), paid=7, currency="EUR")
    await api.sold(NOON - timedelta(days=1), paid=7, currency="CZK")
    answer = await api.ask("totals", **DAY)
    assert answer["currency"] is None
    assert answer["totals"]["receipts"]["receipts"] == 0
    # Of which of the two currencies would it be?
    assert answer["previous"]["receipts"]["paid"] == 0


async def test_a_window_holds_its_first_minute_and_not_its_last(api: Api) -> None:
    for minutes in range(4):
        await api.sold(NOON + timedelta(minutes=minutes), paid=10**minutes)
    answer = await api.ask(
        "totals", **{"from": "2026-12-10T12:01:00Z", "to": "2026-12-10T13:03:00+01:00"}
    )
    assert answer["totals"]["receipts"]["paid"] == 110


async def test_the_window_before_is_as_long(api: Api) -> None:
    await api.sold(NOON, paid=300)
    await api.sold(NOON - timedelta(days=1), paid=200)
    await api.sold(NOON - timedelta(days=2), paid=100)
    answer = await api.ask("totals", **DAY)
    assert answer["previous"]["receipts"]["paid"] == 200


@pytest.mark.parametrize(
    ("parameter", "value", "receipts", "activations"),
    [
        ("store_id", "s2", 10, 20),
        ("device", "app", 10, 20),
        ("region", "South", 10, 20),
        ("campaign_id", "c2", 11, 20),
        ("instrument_id", "i2", 11, 20),
        ("campaign_id", "nobody", 11, 0),
    ],
)
async def test_filters_choose_cells_and_receipts_have_no_campaign(
    api: Api, parameter: str, value: str, receipts: int, activations: int
) -> None:
    other = Place(store="s2", device="app", region="South")
    await api.sold(receipts=1)
    await api.sold(receipts=10, **other)
    await api.used(activations=2)
    await api.used(offer=("c2", "i2"), activations=20, **other)
    totals = (await api.ask("totals", **DAY, **{parameter: value}))["totals"]
    assert totals["receipts"]["receipts"] == receipts
    assert totals["instruments"]["activations"] == activations


async def test_days_of_a_series_are_those_of_the_zone_over_the_change_of_clocks(api: Api) -> None:
    await api.sold(utc(2026, 10, 24, 22), paid=1)  # Sunday 00:00, the day of 25 hours
    await api.sold(utc(2026, 10, 25, 22, 59), paid=10)  # Sunday 23:59
    await api.sold(utc(2026, 10, 25, 23), paid=100)  # Monday 00:00
    answer = await api.ask(
        "series",
        step="day",
        time_zone="Europe/Warsaw",
        **{"from": "2026-10-23T22:00:00Z", "to": "2026-10-26T23:00:00Z"},
    )
    assert [(point["at"], point["receipts"]["paid"]) for point in answer["points"]] == [
        ("2026-10-23T22:00:00Z", 0),
        ("2026-10-24T22:00:00Z", 11),
        ("2026-10-25T23:00:00Z", 100),
    ]


@pytest.mark.parametrize(
    ("zone", "midnight", "after"),
    [
        ("America/Havana", utc(2026, 11, 1, 4), utc(2026, 11, 2, 5)),
        ("Atlantic/Azores", utc(2026, 10, 25), utc(2026, 10, 26, 1)),
    ],
)
async def test_a_day_whose_midnight_comes_twice_begins_with_the_first(
    api: Api, zone: str, midnight: datetime, after: datetime
) -> None:
    await api.sold(midnight + timedelta(minutes=30), paid=1)  # 00:30
    await api.sold(midnight + timedelta(minutes=90), paid=10)  # 00:30 again
    await api.sold(after - timedelta(minutes=1), paid=100)
    await api.sold(after, paid=1_000)
    for window in (
        {},
        {"from": midnight.isoformat(), "to": (after + timedelta(hours=1)).isoformat()},
    ):
        answer = await api.ask("series", step="day", time_zone=zone, **window)
        assert [
            (datetime.fromisoformat(point["at"]), point["receipts"]["paid"])
            for point in answer["points"]
        ] == [(midnight, 111), (after, 1_000)]


async def test_an_hour_whose_half_comes_twice_has_ninety_minutes(api: Api) -> None:
    one = utc(2026, 4, 4, 14)  # 01:00 on Lord Howe Island
    for minutes, paid in ((10, 1), (40, 10), (70, 100), (100, 1_000)):
        await api.sold(one + timedelta(minutes=minutes), paid=paid)
    answer = await api.ask("series", step="hour", time_zone="Australia/Lord_Howe")
    assert [(point["at"], point["receipts"]["paid"]) for point in answer["points"]] == [
        ("2026-04-04T14:00:00Z", 111),
        ("2026-04-04T15:30:00Z", 1_000),
    ]


@pytest.mark.parametrize("step", ["minute", "hour", "day"])
async def test_the_points_of_a_series_add_up_to_the_totals(api: Api, step: str) -> None:
    for hours in range(0, 20, 3):
        await api.sold(utc(2026, 12, 10, hours, 7), paid=100 + hours)
        await api.used(utc(2026, 12, 10, hours, 7), activations=1, discount=hours)
    window = DAY | {"currency": "EUR"}
    points = (await api.ask("series", **window, step=step))["points"]
    totals = (await api.ask("totals", **window))["totals"]
    assert sum(p["receipts"]["paid"] for p in points) == totals["receipts"]["paid"]
    assert sum(p["instruments"]["discount"] for p in points) == totals["instruments"]["discount"]
    assert [p["at"] for p in points] == sorted({p["at"] for p in points})


@pytest.mark.parametrize(
    ("dimension", "ids"),
    [("store", ["s2", "s1"]), ("device", ["app", "till"]), ("region", ["South", "North"])],
)
async def test_breakdowns_go_from_most_activations_to_least(
    api: Api, dimension: str, ids: list[str]
) -> None:
    other = Place(store="s2", device="app", region="South")
    await api.sold(receipts=9)
    await api.sold(receipts=1, **other)
    await api.used(activations=1)
    await api.used(activations=5, **other)
    answer = await api.ask(f"by/{dimension}", **DAY)
    assert [row["id"] for row in answer["rows"]] == ids
    assert [row["receipts"]["receipts"] for row in answer["rows"]] == [1, 9]
    assert not answer["truncated"]


async def test_a_limit_cuts_rows_and_says_so(api: Api) -> None:
    for number in range(3):
        await api.sold(receipts=3 - number, store=f"s{number}")
    answer = await api.ask("by/store", **DAY, limit="2")
    assert [row["id"] for row in answer["rows"]] == ["s0", "s1"]
    assert answer["truncated"]


async def test_rows_have_names_where_they_are_known(api: Api) -> None:
    await api.pool.execute("insert into stores values ('s1', 'Main street', 'North', 'UTC', 'EUR')")
    await api.pool.execute(
        "insert into campaigns (campaign_id, version, name, status, time_zone, starts_at, ends_at)"
        " values ('c1', 1, 'Welcome', 'running', 'UTC', $1, $1)",
        NOON,
    )
    await api.pool.execute("insert into instruments values ('c1', 'i1', '10% off')")
    await api.sold()
    await api.sold(store="s2")
    await api.used(activations=1)
    await api.refused("code_missing", 2)
    await api.refused("limit_reached", 3)
    stores = (await api.ask("by/store", **DAY))["rows"]
    assert [row["name"] for row in stores] == ["Main street", "s2"]
    (instrument,) = (await api.ask("instruments", **DAY))["rows"]
    assert (instrument["campaign"], instrument["name"]) == ("Welcome", "10% off")
    assert [reason["reason"] for reason in instrument["reasons"]] == [
        "limit_reached",
        "code_missing",
    ]
    choices = await api.ask("choices")
    assert [choice["name"] for choice in choices["stores"]] == ["Main street", "s2"]


async def test_refusals_add_up_over_instruments_by_reason(api: Api) -> None:
    await api.sold()
    await api.refused("code_missing", 2)
    await api.refused("code_missing", 5, offer=("c2", "i2"))
    await api.refused("limit_reached", 3)
    assert (await api.ask("refusals", **DAY))["rows"] == [
        {"reason": "code_missing", "refusals": 7},
        {"reason": "limit_reached", "refusals": 3},
    ]
    assert (await api.ask("refusals", **DAY, campaign_id="c2"))["rows"] == [
        {"reason": "code_missing", "refusals": 5}
    ]


async def test_an_answer_says_until_when_all_is_counted(api: Api) -> None:
    assert (await api.ask("totals"))["counted_until"] is None
    await api.pool.execute(
        "insert into offsets values ('analytics.rollup', 't', 0, 1, 'k', $1), ('analytics.rollup', 't', 1, 1, 'k', $2)",
        NOON,
        NOON - timedelta(minutes=1),
    )
    answer = await api.ask("totals")
    assert answer["counted_until"] == "2026-12-10T11:59:00Z"
    assert answer["as_of"] > "2026"


async def test_sources_say_how_far_each_is_counted_and_how_many_records_are_not(api: Api) -> None:
    await api.pool.execute(
        "insert into offsets values"
        " ('analytics.rollup', 'sales', 0, 70, 'k', $1), ('analytics.rollup', 'sales', 1, 5, 'k', $2),"
        " ('analytics.rollup', 'returns', 0, 3, 'k', null)",
        NOON,
        NOON - timedelta(minutes=1),
    )
    ends = {TopicPartition("sales", 0): 80, TopicPartition("sales", 1): 7}
    async with api.pool.acquire() as connection:
        fresh = await freshness(connection, ends)
    returns, sales = fresh.sources
    assert (sales.topic, sales.read_until) == ("sales", NOON - timedelta(minutes=1))
    assert sales.records_behind == 12
    # Never read to its end, and Kafka does not say where that is.
    assert (returns.read_until, returns.records_behind) == (None, None)
    assert fresh.counted_until is None


async def test_how_fresh_figures_are_is_not_a_matter_of_what_else_the_service_reads(
    api: Api,
) -> None:
    """Erasures, whose log nobody watches the end of, were "not known how far they are counted" on every dashboard."""
    await api.pool.execute(
        "insert into offsets values ('analytics.rollup', 'sales', 0, 70, 'k', $1),"
        " ('analytics.erasures', 'customers.erasures.v1', 0, 3, 'k', null)",
        NOON,
    )
    async with api.pool.acquire() as connection:
        fresh = await freshness(connection, {})
    assert [one.topic for one in fresh.sources] == ["sales"]
    assert fresh.counted_until == NOON


async def test_receipts_are_told_with_and_without_a_promotion(api: Api) -> None:
    await api.sold(receipts=4, paid=1_000, promo=400)
    receipts = (await api.ask("totals", **DAY))["totals"]["receipts"]
    assert (receipts["promo_receipts"], receipts["promo_paid"]) == (1, 400)
    assert (receipts["average_with"], receipts["average_without"]) == (400, 200)


async def test_campaigns_and_codes_have_rows_of_their_own(api: Api) -> None:
    await api.sold()
    await api.used(carts=3)
    await api.used(activations=1, offer=("c1", "i1", "welcome"))
    await api.used(activations=2, offer=("c1", "i2", "welcome"))
    await api.used(activations=4, offer=("c2", "i1", "friday"))
    campaigns = (await api.ask("campaigns", **DAY))["rows"]
    assert [(row["campaign_id"], row["activations"]) for row in campaigns] == [("c2", 4), ("c1", 3)]
    codes = (await api.ask("codes", **DAY))["rows"]
    assert [(row["emission_id"], row["activations"], row["carts"]) for row in codes] == [
        ("friday", 4, 0),
        ("welcome", 3, 0),
        ("", 0, 3),
    ]
    (instrument,) = (await api.ask("instruments", **DAY, emission_id="friday"))["rows"]
    assert (instrument["campaign_id"], instrument["activations"]) == ("c2", 4)


async def test_an_instrument_is_one_row_whatever_its_codes(api: Api) -> None:
    await api.used(carts=3)
    await api.used(activations=1, offer=("c1", "i1", "welcome"))
    (row,) = (await api.ask("instruments", **DAY))["rows"]
    assert (row["carts"], row["activations"]) == (3, 1)


async def test_what_stands_for_all_is_no_choice(api: Api) -> None:
    await api.sold()
    await api.used(activations=1, offer=("c1", "i1", "welcome"))
    choices = await api.ask("choices")
    assert {name: [row["id"] for row in rows] for name, rows in choices.items()} == {
        "campaigns": ["c1"],
        "instruments": ["i1"],
        "emissions": ["welcome"],
        "stores": ["s1"],
        "devices": ["till"],
        "regions": ["North"],
    }
