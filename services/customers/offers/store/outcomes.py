"""What customers bought in the days of a policy's steps, in either arm."""

from collections.abc import Sequence
from dataclasses import dataclass
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


async def of_policy(connection: Connection, policy_id: str, now: datetime) -> list[Bought]:
    """What the arms have bought, by step."""
    rows = await connection.fetch(
        "select step, held_back, count(*) filter (where over) as customers,"
        " count(*) filter (where over and purchases > 0) as buyers,"
        " coalesce(sum(paid) filter (where over), 0)::bigint as paid,"
        " coalesce(sum(paid::float8 * paid) filter (where over), 0) as squares,"
        " count(*) filter (where over and used) as used,"
        " count(*) filter (where over and purchases > 0 and not used) as anyway,"
        " count(*) filter (where not over) as running"
        " from (select *, ends_at <= $2 as over from offer_windows where policy_id = $1) as w"
        " group by step, held_back order by step, held_back",
        policy_id,
        now,
    )
    none = Arm()
    found: dict[int, Bought] = {}
    for row in rows:
        arm = Arm(row["customers"], row["buyers"], row["paid"], row["squares"])
        one = found.get(row["step"], Bought(row["step"], none, none, 0, 0, 0))
        running = one.running + row["running"]
        if row["held_back"]:
            found[row["step"]] = Bought(
                one.step, one.treated, arm, one.used, one.bought_anyway, running
            )
        else:
            found[row["step"]] = Bought(
                one.step, arm, one.held_back, row["used"], row["anyway"], running
            )
    return [found[step] for step in sorted(found)]
