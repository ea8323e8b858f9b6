"""Purchases in windows: how many, which share, what was paid, what was bought; and how that changes as they leave."""

from collections.abc import Callable, Iterable, Sequence

from services.customers.profile import DAY_S, Bought, State, Visit
from services.customers.segments import definition as asked
from services.customers.segments.check import NEVER, Answer, Check, Range, View, constant, passing

Step = tuple[int, int, int]
"""When a visit was, and what it takes from two sums when it leaves the window."""

_ALL = 10_000
_FIRST_WEEKDAY = 3  # 1 January 1970 was a Thursday; weeks begin on Monday


def counted(condition: asked.Purchases | asked.PurchaseShare) -> Check:
    """The number of purchases, or a share of them."""
    if condition.days is None:
        return _counted_ever(condition)
    if isinstance(condition, asked.PurchaseShare):
        return _share(condition, condition.days)
    if condition.only is None:
        return _all_counted(passing(condition.compare), condition.days)
    days, chosen = condition.days, _chosen(condition.only)

    def steps(view: View, now: int) -> list[Step]:
        return [(visit.at, 1, 0) for visit in chosen(view, view.begin(days, now))]

    return _summed(steps, passing(condition.compare), days)


def _all_counted(allowed: Range, days: int) -> Check:
    """Of every purchase in the window, which needs no walk through them."""
    low, high = allowed
    window = days * DAY_S

    def check(view: View, now: int) -> Answer:
        times, begin = view.times, view.begin(days, now)
        end = len(times)
        count = end - begin
        if count < low:  # fewer it will be, never more
            return False, NEVER
        if count <= high:
            return True, times[end - low] + window if low > 0 else NEVER
        enters = times[end - high - 1] + window if high >= 0 else NEVER
        # Purchases of the same second leave together: more may go than is enough.
        if enters == NEVER or end - view.begin(days, enters) < low:
            return False, NEVER
        return False, enters

    return check


def _counted_ever(condition: asked.Purchases | asked.PurchaseShare) -> Check:
    low, high = passing(condition.compare)
    count = _of_all_time(condition.only)
    if isinstance(condition, asked.Purchases):
        return constant(condition.compare, count)

    def check(view: View, _: int) -> Answer:
        purchases = view.state.purchases
        if purchases <= 0:
            return False, NEVER
        return low <= count(view.state) * _ALL // purchases <= high, NEVER

    return check


def _of_all_time(only: asked.Only | None) -> Callable[[State], int]:
    match only:
        case None:
            return lambda state: state.purchases
        case asked.Only(promo=True):
            return lambda state: state.promo_purchases
        case asked.Only(promo=False):
            return lambda state: state.purchases - state.promo_purchases
        case asked.Only(with_code=True):
            return lambda state: state.with_code
        case _:
            return lambda state: state.purchases - state.with_code


def _share(condition: asked.PurchaseShare, days: int) -> Check:
    chosen = _chosen(condition.only)

    def steps(view: View, now: int) -> list[Step]:
        begin = view.begin(days, now)
        counted = {visit.receipt for visit in chosen(view, begin)}
        return [(visit.at, int(visit.receipt in counted), 1) for visit in view.visits[begin:]]

    return _divided(steps, passing(condition.compare), days, _ALL)


def spent(condition: asked.Spent | asked.AverageReceipt) -> Check:
    """What was paid, or what was on average."""
    currency, allowed, days = condition.currency, passing(condition.compare), condition.days
    if days is None:
        return _spent_ever(condition)
    only = condition.only if isinstance(condition, asked.Spent) else None
    chosen = _chosen(only)

    def steps(view: View, now: int) -> list[Step]:
        index = view.index.get(currency)
        visits = chosen(view, view.begin(days, now))
        return [(visit.at, visit.paid, 1) for visit in visits if visit.currency == index]

    if isinstance(condition, asked.Spent):
        return _summed(steps, allowed, days)
    return _divided(steps, allowed, days, 1)


def _spent_ever(condition: asked.Spent | asked.AverageReceipt) -> Check:
    low, high = passing(condition.compare)
    is_average = isinstance(condition, asked.AverageReceipt)

    def check(view: View, _: int) -> Answer:
        spent = view.state.spent.get(condition.currency)
        total = spent.paid - spent.refunded if spent else 0
        if is_average:
            if spent is None or spent.purchases <= 0:
                return False, NEVER
            total //= spent.purchases
        return low <= total <= high, NEVER

    return check


def bought(condition: asked.Bought) -> Check:
    """What was bought of some groups."""
    days, measure = condition.days, condition.measure

    def steps(view: View, now: int) -> list[Step]:
        found = (view.index.get(group) for group in condition.groups)
        groups = {index for index in found if index is not None}
        if not groups:
            return []
        visits: Iterable[Visit] = view.visits[view.begin(days, now) :]
        if condition.currency is not None:
            currency = view.index.get(condition.currency)
            visits = (visit for visit in visits if visit.currency == currency)
        bought = [
            (visit.at, [one for one in visit.goods if one.group in groups]) for visit in visits
        ]
        return [(at, _measured(goods, measure), 0) for at, goods in bought if goods]

    return _summed(steps, passing(condition.compare), days)


def _measured(goods: Sequence[Bought], measure: str) -> int:
    if measure == "quantity":
        return sum(one.quantity for one in goods)
    if measure == "sum":
        return sum(one.paid for one in goods)
    return int(any(one.quantity > 0 for one in goods))


def _chosen(only: asked.Only | None) -> Callable[[View, int], list[Visit]]:
    """The visits from a position on that count."""
    if only is None:
        return lambda view, begin: view.visits[begin:]
    tests = _tests(only)

    def choose(view: View, begin: int) -> list[Visit]:
        visits = view.visits[begin:]
        if only.promo is not None:
            visits = [visit for visit in visits if visit.promo == only.promo]
        if only.with_code is not None:
            visits = [visit for visit in visits if visit.with_code == only.with_code]
        for names, of in ((only.stores, _STORE), (only.devices, _DEVICE)):
            if names:
                wanted = {view.index.get(name) for name in names}
                visits = [visit for visit in visits if of(visit) in wanted]
        for test in tests:
            visits = [visit for visit in visits if test(visit)]
        return visits

    return choose


_STORE: Callable[[Visit], int] = lambda visit: visit.store  # noqa: E731 - beside each other
_DEVICE: Callable[[Visit], int] = lambda visit: visit.device  # noqa: E731


def _tests(only: asked.Only) -> list[Callable[[Visit], bool]]:
    """What is asked of the store's clock at a visit."""
    tests: list[Callable[[Visit], bool]] = []
    if only.weekdays:
        weekdays = frozenset(asked.WEEKDAYS.index(one) for one in only.weekdays)
        tests.append(lambda visit: (_local(visit) // DAY_S + _FIRST_WEEKDAY) % 7 in weekdays)
    if only.hours:
        starts, ends = only.hours.starts, only.hours.ends
        within = [
            starts <= hour < ends if starts < ends else hour >= starts or hour < ends
            for hour in range(24)
        ]
        tests.append(lambda visit: within[_local(visit) % DAY_S // 3600])
    return tests


def _local(visit: Visit) -> int:
    return visit.at + visit.offset_minutes * 60


# ---- how sums change as visits leave the window ----


def _summed(steps: Callable[[View, int], list[Step]], allowed: Range, days: int) -> Check:
    low, high = allowed
    window = days * DAY_S

    def check(view: View, now: int) -> Answer:
        walk = steps(view, now)
        total = 0
        for _, weight, _ in walk:
            total += weight
        holds = low <= total <= high
        last = len(walk) - 1
        for n, (at, weight, _) in enumerate(walk):
            total -= weight
            if (low <= total <= high) != holds and (n == last or walk[n + 1][0] != at):
                return holds, at + window
        return holds, NEVER

    return check


def _divided(
    steps: Callable[[View, int], list[Step]], allowed: Range, days: int, scale: int
) -> Check:
    """Of the first sum × ``scale`` over the second, rounded down; not met where there is no second."""
    low, high = allowed
    window = days * DAY_S

    def check(view: View, now: int) -> Answer:
        walk = steps(view, now)
        total = sum(part for _, part, _ in walk)
        of = sum(part for _, _, part in walk)
        holds = of > 0 and low <= total * scale // of <= high
        last = len(walk) - 1
        for n, (at, weight, part) in enumerate(walk):
            total -= weight
            of -= part
            now_holds = of > 0 and low <= total * scale // of <= high
            if now_holds != holds and (n == last or walk[n + 1][0] != at):
                return holds, at + window
        return holds, NEVER

    return check
