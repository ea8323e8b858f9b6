"""Profiles as a Parquet file, written a row group at a time: what is written is taken away, and memory stays flat."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from services.customers.feed.columns import COLUMNS, Cell
from shared.events.customers import Profile

ROW_GROUP = 5_000
"""Rows. Each row group adds a little to the file's end, which is kept until it is written."""
_TYPES = {
    "text": pa.string(),
    "number": pa.int64(),
    "time": pa.timestamp("us", tz="UTC"),
    "date": pa.date32(),
    "texts": pa.list_(pa.string()),
}
_SCHEMA = pa.schema(
    [pa.field(one.name, _TYPES[one.kind], one.name != "customer_id") for one in COLUMNS]
)


class _Pipe:
    """A file that is written to at one end and read from at the other."""

    closed = False

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, part: Any) -> int:
        taken = bytes(part)
        self._parts.append(taken)
        return len(taken)

    def take(self) -> bytes:
        taken = b"".join(self._parts)
        self._parts.clear()
        return taken

    def flush(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        self.closed = True


class ParquetFile:
    """A file in the making. ``add`` and ``end`` return the bytes that have come to it."""

    def __init__(self) -> None:
        self._pipe = _Pipe()
        self._writer = parquet.ParquetWriter(
            pa.PythonFile(self._pipe, mode="w"), _SCHEMA, compression="zstd"
        )
        self._rows: list[list[Cell]] = []

    def add(self, profiles: Sequence[Profile]) -> bytes:
        """Add profiles; once there are enough of them, they are written."""
        self._rows += ([_plain(one.read(profile)) for one in COLUMNS] for profile in profiles)
        if len(self._rows) >= ROW_GROUP:
            self._write()
        return self._pipe.take()

    def end(self) -> bytes:
        """Write what waits, and the end of the file."""
        self._write()
        self._writer.close()
        return self._pipe.take()

    def _write(self) -> None:
        if self._rows:
            columns = zip(*self._rows, strict=True)
            arrays = [
                pa.array(list(column), field.type)
                for column, field in zip(columns, _SCHEMA, strict=True)
            ]
            self._writer.write_table(pa.Table.from_arrays(arrays, schema=_SCHEMA))
            self._rows.clear()


def _plain(cell: Cell) -> Cell:
    return cell.astimezone(UTC) if isinstance(cell, datetime) else cell
