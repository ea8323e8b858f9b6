"""The rules that somebody has changed."""

from datetime import datetime
from typing import NamedTuple

from msgspec import json

from services.customers.fraud.rules import DEFAULTS, Rule
from shared.database import Connection

_RULE = json.Decoder(Rule).decode
_ENCODE = json.Encoder().encode


class Kept(NamedTuple):
    """A rule as it holds, the version of it (0: nobody has changed it), and who has changed it when."""

    rule: Rule
    version: int = 0
    changed_at: datetime | None = None
    changed_by: str | None = None


async def load(connection: Connection) -> list[Kept]:
    """All rules, in the order of the defaults."""
    rows = await connection.fetch(
        "select rule, version, definition, changed_at, changed_by from fraud_rules"
    )
    changed = {
        row["rule"]: Kept(
            _RULE(row["definition"]), row["version"], row["changed_at"], row["changed_by"]
        )
        for row in rows
    }
    return [changed.get(rule.rule, Kept(rule)) for rule in DEFAULTS]


async def save(
    connection: Connection, rule: Rule, expected: int, changed_by: str, now: datetime
) -> bool:
    """Save a rule if its version still is the expected one; whether it was."""
    definition = _ENCODE(rule).decode()
    status = await connection.execute(
        "insert into fraud_rules (rule, version, definition, changed_at, changed_by)"
        " select $1, 1, $3, $4, $5 where $2 = 0 on conflict do nothing"
        if expected == 0
        else "update fraud_rules set version = version + 1, definition = $3, changed_at = $4,"
        " changed_by = $5 where rule = $1 and version = $2",
        rule.rule,
        expected,
        definition,
        now,
        changed_by,
    )
    return status.endswith(" 1")
