"""The conduct of subjects, and what was counted of receipts' codes."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime

from services.customers.fraud.conduct import Conduct, Subject, pack, unpack
from services.customers.fraud.signals import Presented
from shared.database import Connection


async def load(connection: Connection, subjects: Collection[Subject]) -> dict[Subject, Conduct]:
    """The conduct of the subjects, locked until the transaction ends; of new ones it is empty."""
    found = await _locked(connection, subjects)
    if new := {*subjects} - {*found}:
        kinds, names = _columns(new)
        # A row to lock: another process may meet the same new subject just now.
        await connection.execute(
            "insert into conduct (kind, subject, latest_at, state)"
            " select kind, subject, '-infinity', '' from unnest($1::text[], $2::text[]) as new (kind, subject)"
            " on conflict do nothing",
            kinds,
            names,
        )
        found |= await _locked(connection, new)
    return found


async def _locked(connection: Connection, subjects: Collection[Subject]) -> dict[Subject, Conduct]:
    rows = await connection.fetch(
        # In order: two processes that want the same subjects must not wait for each other.
        "select kind, subject, state from conduct"
        " join unnest($1::text[], $2::text[]) as wanted (kind, subject) using (kind, subject)"
        " order by kind, subject for update of conduct",
        *_columns(subjects),
    )
    return {
        Subject(row["kind"], row["subject"]): unpack(row["state"]) if row["state"] else Conduct()
        for row in rows
    }


async def save(connection: Connection, conduct: Mapping[Subject, Conduct]) -> None:
    """Save conduct that was loaded."""
    subjects = sorted(conduct)
    kinds, names = _columns(subjects)
    await connection.execute(
        "update conduct set latest_at = changed.latest_at, state = changed.state"
        " from unnest($1::text[], $2::text[], $3::timestamptz[], $4::bytea[])"
        " as changed (kind, subject, latest_at, state)"
        " where conduct.kind = changed.kind and conduct.subject = changed.subject",
        kinds,
        names,
        [datetime.fromtimestamp(conduct[one].latest, UTC) for one in subjects],
        [pack(conduct[one]) for one in subjects],
    )


async def of_stores(connection: Connection) -> list[bytes]:
    """The conduct of all stores, packed."""
    rows = await connection.fetch("select state from conduct where kind = 'store'")
    return [row["state"] for row in rows if row["state"]]


async def load_presented(
    connection: Connection, receipt_ids: Collection[str]
) -> dict[str, Presented]:
    """What was counted of the receipts' codes."""
    rows = await connection.fetch(
        'select receipt_id, unknown, "foreign" from presented_codes where receipt_id = any($1)',
        sorted(receipt_ids),
    )
    return {row["receipt_id"]: Presented(row["unknown"], row["foreign"]) for row in rows}


async def save_presented(
    connection: Connection, presented: Mapping[str, Presented], now: datetime
) -> None:
    """Note what is counted of receipts' codes by now."""
    receipt_ids = sorted(presented)
    await connection.execute(
        'insert into presented_codes (receipt_id, unknown, "foreign", seen_at)'
        " select receipt_id, unknown, is_foreign, $4"
        " from unnest($1::text[], $2::int[], $3::boolean[]) as new (receipt_id, unknown, is_foreign)"
        " on conflict (receipt_id) do update set unknown = excluded.unknown,"
        ' "foreign" = excluded."foreign", seen_at = excluded.seen_at',
        receipt_ids,
        [presented[one].unknown for one in receipt_ids],
        [presented[one].foreign for one in receipt_ids],
        now,
    )


async def forget(connection: Connection, before: datetime, presented_before: datetime) -> int:
    """Delete conduct without a fact since ``before``, and what receipts of old presented; how many rows."""
    gone = await connection.execute("delete from conduct where latest_at < $1", before)
    codes = await connection.execute(
        "delete from presented_codes where seen_at < $1", presented_before
    )
    return sum(int(status.rpartition(" ")[2]) for status in (gone, codes))


def _columns(subjects: Collection[Subject]) -> tuple[list[str], list[str]]:
    ordered = sorted(subjects)
    return [kind for kind, _ in ordered], [name for _, name in ordered]
