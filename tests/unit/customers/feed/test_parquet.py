"""Exports as Parquet."""

import io
from datetime import UTC, date, datetime

import pyarrow as pa
from pyarrow import parquet

from services.customers.feed.columns import COLUMNS
from services.customers.feed.parquet import ROW_GROUP, ParquetFile
from tests.unit.customers.feed.profiles import AT, a_profile, nobody


def read(*parts: bytes) -> pa.Table:
    return parquet.read_table(io.BytesIO(b"".join(parts)))


def test_a_customer_is_a_row_with_types() -> None:
    file = ParquetFile()
    found = read(file.add([a_profile(), nobody()]), file.end())
    assert found.column_names == [column.name for column in COLUMNS]
    first, second = found.to_pylist()
    assert first["customer_id"] == "c-1"
    assert first["as_of"] == AT
    assert first["last_purchase_at"] == datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)
    assert first["paid"] == -50
    assert first["favourite_groups"] == ["dairy", "bread; rolls"]
    assert first["forecast_expected_on"] == date(2026, 3, 11)
    assert (second["customer_id"], second["purchases"]) == ("c-0", 0)
    assert (second["paid"], second["rfm_class"], second["segments"]) == (None, None, [])


def test_rows_leave_a_group_at_a_time() -> None:
    """However many customers there are, a group of them is in memory."""
    file, half = ParquetFile(), [a_profile(f"c-{n}") for n in range(ROW_GROUP // 2)]
    parts = [file.add(half), file.add(half), file.add(half), file.end()]
    assert len(parts[0]) < 100
    assert len(parts[1]) > len(parts[2])
    assert len(parts[2]) == 0
    assert read(*parts).num_rows == 3 * len(half)
    assert parquet.ParquetFile(io.BytesIO(b"".join(parts))).num_row_groups == 2


def test_an_export_of_nobody_is_a_file_all_the_same() -> None:
    found = read(ParquetFile().end())
    assert (found.num_rows, found.num_columns) == (0, len(COLUMNS))
