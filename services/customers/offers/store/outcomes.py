"""What customers bought in the days of a policy's steps, in either arm."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services.customers.offers.outcome import Arm
from shared.database import Connection


@dataclass(frozen=True)
class Window:
    """The days of a step (0: of all steps) of one customer's first series."""

    policy_id: str
    customer_id: str
    step: int
    held_back: bool
    starts_at: datetime
    ends_at: datetime
    currency: str


@dataclass(frozen=True)
class Purchase:
    """A purchase, or (``purchases`` −1 or 0) what came back of one made ``at``: signed money."""

    customer_id: str
    at: datetime
    currency: str
    purchases: int
    paid: int


async def first_time(
    connection: Connection, pairs: Sequence[tuple[str, str]]
) -> set[tuple[str, str]]:
    """Which of the policies and customers have met for the first time."""
    policy_ids, customer_ids = zip(*pairs, strict=True) if pairs else ((), ())
    rows = await connection.fetch(
        "select policy_id, customer_id from offer_windows where step = 0"
        " and (policy_id, customer_id) in (select * from unnest($1::text[], $2::text[]))",
        list(policy_ids),
        list(customer_ids),
    )
    return set(pairs) - {(row[0], row[1]) for row in rows}


async def open_windows(connection: Connection, windows: Sequence[Window]) -> None:
    """Begin to count what is bought in these days."""
    await connection.copy_records_to_table(
        "offer_windows",
        records=[
            (
                one.policy_id,
                one.customer_id,
                one.step,
                one.held_back,
                one.starts_at,
                one.ends_at,
                one.currency,
            )
            for one in windows
        ],
        columns=(
            "policy_id",
            "customer_id",
            "step",
            "held_back",
            "starts_at",
            "ends_at",
            "currency",
        ),
    )


async def add(connection: Connection, purchases: Sequence[Purchase]) -> None:
    """Count purchases in the windows that they fall into; the money, if it is the policy's currency."""
    if not purchases:
        return
    await connection.execute(
        "update offer_windows as kept set purchases = kept.purchases + sums.purchases,"
        " paid = kept.paid + sums.paid from ("
        " select w.policy_id, w.step, w.customer_id, sum(bought.purchases) as purchases,"
        " sum(case when w.currency = bought.currency then bought.paid else 0 end) as paid"
        " from unnest($1::text[], $2::timestamptz[], $3::text[], $4::int[], $5::bigint[])"
        " as bought (customer_id, at, currency, purchases, paid)"
        " join offer_windows as w on w.customer_id = bought.customer_id"
        " and w.ends_at > bought.at and w.starts_at <= bought.at group by 1, 2, 3"
        ") as sums where kept.policy_id = sums.policy_id and kept.step = sums.step"
        " and kept.customer_id = sums.customer_id",
        [one.customer_id for one in purchases],
        [one.at for one in purchases],
        [one.currency for one in purchases],
        [one.purchases for one in purchases],
        [one.paid for one in purchases],
    )


async def mark_used(connection: Connection, used: Sequence[tuple[str, str, int, bool]]) -> None:
    """An offer's code was used (or, False, its receipt returned): policy, customer, step."""
    await connection.executemany(
        "update offer_windows set used = $4 where policy_id = $1 and customer_id = $2"
        " and (step = $3 or step = 0)",
        sorted(used),
    )


@dataclass(frozen=True)
class Bought:
    """The arms of a step (0: of all), whose days are over; ``used``: of the treated, by offer; ``running``: not over yet."""

    step: int
    treated: Arm
    held_back: Arm
    used: int
    bought_anyway: int
    running: int


_BOUGHT = """
select policy_id, step, held_back, count(*) filter (where over) as customers,
    count(*) filter (where over and purchases > 0) as buyers,
    coalesce(sum(paid) filter (where over), 0)::bigint as paid,
    coalesce(sum(paid::float8 * paid) filter (where over), 0) as squares,
    count(*) filter (where over and used) as used,
    count(*) filter (where over and purchases > 0 and not used) as anyway,
    count(*) filter (where not over) as running
from (
    select *, ends_at <= $2 as over from offer_windows
    where policy_id = any($1) and ($3::int is null or step = $3)
) as windows
group by policy_id, step, held_back order by policy_id, step, held_back
"""


async def of_policy(connection: Connection, policy_id: str, now: datetime) -> list[Bought]:
    """What the arms have bought, by step."""
    found = await _bought(connection, [policy_id], now, None)
    return [found[key] for key in sorted(found)]


async def in_all(
    connection: Connection, policy_ids: Sequence[str], now: datetime
) -> dict[str, Bought]:
    """What the arms of policies have bought in the days of all steps."""
    found = await _bought(connection, policy_ids, now, 0)
    return {policy_id: one for (policy_id, _), one in found.items()}


async def _bought(
    connection: Connection, policy_ids: Sequence[str], now: datetime, step: int | None
) -> dict[tuple[str, int], Bought]:
    none = Arm()
    found: dict[tuple[str, int], Bought] = {}
    for row in await connection.fetch(_BOUGHT, list(policy_ids), now, step):
        key = (row["policy_id"], row["step"])
        one = found.get(key, Bought(row["step"], none, none, 0, 0, 0))
        arm = Arm(row["customers"], row["buyers"], row["paid"], row["squares"])
        one = replace(one, running=one.running + row["running"])
        found[key] = (
            replace(one, held_back=arm)
            if row["held_back"]
            else replace(one, treated=arm, used=row["used"], bought_anyway=row["anyway"])
        )
    return found
