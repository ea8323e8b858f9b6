"""Rules: which conduct is called abuse. Data, not code: a rule is tests with thresholds, which people may change.

Pure. A test counts something of one kind of subject within a window. It is met from ``at_least`` on, if the count also is
a large enough ``share`` of something else, stands out from what is ``usual``, and was spread over enough days.
"""

from collections.abc import Iterable, Iterator, Sequence
from math import ceil
from typing import Annotated, Any, Literal, get_args

from msgspec import Meta, Struct
from msgspec.structs import replace

from services.customers.fraud import conduct as conducts
from services.customers.fraud.conduct import DAY_S, Conduct, Kind, Measure, Signal

HOUR_S = 3_600
WEEK_S = 7 * DAY_S
MONTH_S = 28 * DAY_S
ENOUGH = 100
"""Fewer of others say nothing of what is usual."""
_WHOLE = 10_000
_MOST_SHARE = 100_000
_MEDIUM, _HIGH = 150, 300

OfParties = Literal["parties", "newcomers", "meetings"]
Counted = Measure | OfParties
"""``parties``: how many different ones were met, ``newcomers``: of how many of these nothing was known before that day;
``meetings``: how often the one that a fact tells of was met, that day."""
_OF_PARTIES: tuple[OfParties, ...] = get_args(OfParties)
Window = Annotated[int, Meta(ge=600, le=MONTH_S)]
Times = Annotated[int, Meta(ge=1, le=1_000_000)]
RuleName = Literal[
    "code_guessing",
    "buy_use_return",
    "shared_device",
    "foreign_code",
    "unauthorised",
    "velocity",
    "quick_returns",
    "borrowed_card",
]
NAMES: tuple[RuleName, ...] = get_args(RuleName)
Severity = Literal["low", "medium", "high"]
SEVERITIES: tuple[Severity, ...] = ("low", "medium", "high")


class Share(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a measure must be of another one in the same window, in basis points: from ``least`` to ``most``."""

    of: Measure
    least: Annotated[int, Meta(ge=0, le=_MOST_SHARE)] = 0
    most: Annotated[int, Meta(ge=0, le=_MOST_SHARE)] = _MOST_SHARE


class Test(Struct, frozen=True, omit_defaults=True, kw_only=True, forbid_unknown_fields=True):
    """When a kind of subject meets a rule.

    ``measure`` is counted within ``window_s`` seconds, and met from ``at_least`` on, if all ``shares`` hold, and it is
    ``times_usual`` what others have of it for as many receipts. ``on_days``: on at least as many days of the window.
    """

    kind: Kind
    measure: Counted
    window_s: Window
    at_least: Times
    shares: Annotated[tuple[Share, ...], Meta(max_length=3)] = ()
    times_usual: Annotated[int, Meta(ge=1, le=1_000)] | None = None
    on_days: Annotated[int, Meta(ge=1, le=28)] | None = None


class Rule(Struct, frozen=True):
    """A pattern of abuse, met when one of its tests is.

    From a ``score`` on (basis points) half-way is enough; none: never. ``blocks_s``: who meets the rule is blocked for so
    many seconds without anybody's doing; none: never.
    """

    rule: RuleName
    tests: tuple[Test, ...]
    enabled: bool = True
    score: Annotated[int, Meta(ge=0, le=_WHOLE)] | None = 8_000
    blocks_s: Annotated[int, Meta(ge=60, le=366 * DAY_S)] | None = None


class Finding(Struct, frozen=True):
    """What a test found: its measure's ``value``, what is usual if that is known, and the receipts it is about."""

    measure: Counted
    value: int
    at_least: int
    usual: int | None
    receipts: tuple[str, ...]


class Suspicion(Struct, frozen=True):
    """A rule that a subject met, or is half-way to, at a fact's time (seconds since 1970): ``met`` says which.

    ``findings`` are those of the tests that say so, the strongest first.
    """

    rule: str
    kind: Kind
    subject: str
    at: int
    met: bool
    findings: tuple[Finding, ...]

    @property
    def excess(self) -> int:
        """What was counted in hundredths of the threshold."""
        return _excess(self.findings[0])

    @property
    def severity(self) -> Severity:
        """By how far the threshold was passed: one and a half times, three times."""
        return "high" if self.excess >= _HIGH else "medium" if self.excess >= _MEDIUM else "low"


class Around(Struct, frozen=True):
    """Whom a subject is compared with: all stores, and, of a cashier, those of the same store, itself among them."""

    chain: Conduct
    store: Conduct | None = None


def _test(kind: Kind, measure: Counted, window_s: int, at_least: int, **more: Any) -> Test:
    return Test(kind=kind, measure=measure, window_s=window_s, at_least=at_least, **more)


DEFAULTS: tuple[Rule, ...] = (
    Rule(
        "code_guessing",
        (
            _test("customer", "unknown_codes", HOUR_S, 6),
            _test("customer", "unknown_codes", DAY_S, 10),
            _test("device", "unknown_codes", HOUR_S, 6),
            _test("device", "unknown_codes", DAY_S, 10),
            _test("address", "surplus_codes", HOUR_S, 10),
            _test("cashier", "surplus_codes", DAY_S, 8),
            _test("customer", "lockouts", DAY_S, 1),
            _test("address", "lockouts", DAY_S, 1),
            _test("store", "lockouts", DAY_S, 1),
        ),
    ),
    Rule(
        "buy_use_return",
        (
            _test(
                "customer",
                "code_returns",
                MONTH_S,
                4,
                shares=(Share("code_receipts", 6_000), Share("returns", 8_000)),
            ),
            _test(
                "customer",
                "promo_returns",
                MONTH_S,
                4,
                shares=(Share("promo_receipts", 6_000), Share("returns", 9_000)),
            ),
        ),
    ),
    Rule(
        "shared_device",
        (_test("device", "newcomers", WEEK_S, 5), _test("device", "parties", WEEK_S, 15)),
    ),
    Rule(
        "foreign_code",
        (
            _test("customer", "foreign_codes", WEEK_S, 5),
            _test("device", "foreign_codes", WEEK_S, 5),
            _test("address", "foreign_codes", DAY_S, 5),
        ),
    ),
    Rule(
        "unauthorised",
        (
            _test("cashier", "unauthorised", WEEK_S, 4, times_usual=4),
            _test("store", "unauthorised", WEEK_S, 40, times_usual=8, on_days=4),
        ),
    ),
    Rule(
        "velocity",
        (
            _test("customer", "code_receipts", DAY_S, 9),
            _test("customer", "promo_receipts", DAY_S, 12),
            _test("customer", "parties", DAY_S, 5),
            _test("device", "code_receipts", DAY_S, 9),
            _test("address", "code_receipts", 1_200, 7),
            _test("cashier", "code_receipts", WEEK_S, 15, times_usual=5),
            _test("store", "code_receipts", WEEK_S, 20, times_usual=4),
        ),
    ),
    Rule(
        "quick_returns",
        (
            _test(
                "cashier",
                "quick_returns",
                WEEK_S,
                4,
                shares=(Share("receipts", 0, _WHOLE),),
                times_usual=5,
            ),
        ),
    ),
    Rule(
        "borrowed_card",
        (_test("cashier", "meetings", DAY_S, 7, shares=(Share("receipts", 1_500),)),),
    ),
)
"""As they are before anybody changes them; docs/fraud.md says what each one finds."""


def objections(rule: Rule) -> Iterator[tuple[str, str]]:
    """What keeps a rule from being used: the field at fault (a dotted path), and why."""
    for number, test in enumerate(rule.tests):
        has_receipts = test.kind in ("store", "cashier")
        if test.times_usual is not None and not has_receipts:
            yield (
                f"tests.{number}.times_usual",
                "what is usual is known of stores and cashiers only",
            )
        if test.times_usual is not None and test.measure in _OF_PARTIES:
            yield f"tests.{number}.times_usual", "what is usual of it is not known"
        if test.measure in _OF_PARTIES and test.kind == "store":
            yield f"tests.{number}.measure", "nobody counts whom a store meets"
        if test.measure == "newcomers" and test.kind not in ("device", "address"):
            yield f"tests.{number}.measure", "newcomers are counted of devices and addresses only"
        if test.measure in _OF_PARTIES and test.on_days is not None:
            yield f"tests.{number}.on_days", "it is not counted by day"
        for place, share in enumerate(test.shares):
            if share.least > share.most:
                yield f"tests.{number}.shares.{place}.least", "is more than the most"
            if share.of == "receipts" and not has_receipts:
                yield (
                    f"tests.{number}.shares.{place}.of",
                    "all receipts are counted of stores and cashiers only",
                )


def loosened(test: Test) -> Test:
    """The test half-way to it: of which the learnt score has to say whether it is abuse."""
    return replace(
        test,
        at_least=max(ceil(test.at_least / 2), min(test.at_least, 2)),
        shares=tuple([replace(share, least=share.least // 2) for share in test.shares]),
        times_usual=None if test.times_usual is None else max(test.times_usual // 2, 1),
        on_days=None if test.on_days is None else max(test.on_days // 2, 1),
    )


class Ruleset:
    """The enabled rules, by what a signal may change of them."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.rules: dict[str, Rule] = {rule.rule: rule for rule in rules}
        self._tests: dict[tuple[Kind, Counted], list[tuple[str, Test, Test]]] = {}
        for rule in self.rules.values():
            for test in rule.tests if rule.enabled else ():
                of = self._tests.setdefault((test.kind, test.measure), [])
                of.append((rule.rule, test, loosened(test)))

    def tests(self, signal: Signal) -> list[tuple[str, Test, Test]]:
        """The tests whose measure a signal adds to: the rule, its test, and that loosened."""
        kind = signal.subject.kind
        found: list[tuple[str, Test, Test]] = []
        for measure in signal.sums:
            found += self._tests.get((kind, measure), ())
        if signal.party is not None:
            for counted in _OF_PARTIES:
                found += self._tests.get((kind, counted), ())
        return found


def suspicions(
    signal: Signal, conduct: Conduct, around: Around, rules: Ruleset
) -> Iterator[Suspicion]:
    """The rules that a subject meets, or is half-way to, by a signal that was added to its conduct."""
    met: dict[str, list[Finding]] = {}
    near: dict[str, list[Finding]] = {}
    for rule, test, loose in rules.tests(signal):
        finding = _worst(loose, signal, conduct, around)
        if finding is None:
            continue
        strict = _worst(test, signal, conduct, around)
        (near if strict is None else met).setdefault(rule, []).append(
            strict or replace(finding, at_least=test.at_least)
        )
    for rule in {**met, **near}:
        findings = sorted(met.get(rule) or near[rule], key=_excess, reverse=True)
        kind, subject = signal.subject
        at = signal.at if signal.seen is None else signal.seen
        yield Suspicion(rule, kind, subject, at, rule in met, tuple(findings))


def _worst(test: Test, signal: Signal, conduct: Conduct, around: Around) -> Finding | None:
    """What the test finds in the windows that the signal has changed, where it is met most.

    Shares are looked at in the latest window only: of many windows there is always one where most came back.
    """
    ends: Iterable[int] = conducts.later_ends(conduct, signal.at, test.window_s)
    if test.shares:
        ends = (conduct.latest,)
    found = [
        finding
        for end in ends
        for finding in [_finding(test, end, signal, conduct, around)]
        if finding is not None
    ]
    return max(found, key=_excess, default=None)


def _finding(
    test: Test, end: int, signal: Signal, conduct: Conduct, around: Around
) -> Finding | None:
    value = _value(test, end, signal, conduct)
    if value < test.at_least:
        return None
    for share in test.shares:
        of = conducts.total(conduct, share.of, end, test.window_s)
        if not share.least <= _WHOLE * value // max(of, 1) <= share.most:
            return None
    usual = None
    if test.times_usual is not None:
        base = conducts.total(conduct, "receipts", end, test.window_s)
        usual = _usual(test, (value, base), end, around)
        if usual is None or value < test.times_usual * usual:
            return None
    if test.on_days is not None and _days(test, conduct, end) < test.on_days:
        return None
    start, last = end - test.window_s, max(end, signal.at)
    marked = conducts.receipts_of(conduct, _marked(test), start, last)
    receipts = dict.fromkeys([signal.receipt_id, *marked])
    return Finding(test.measure, value, test.at_least, usual, tuple(receipts))


def _value(test: Test, end: int, signal: Signal, conduct: Conduct) -> int:
    match test.measure:
        case "parties":
            return conducts.parties_met(conduct, end, test.window_s)
        case "newcomers":
            return conducts.newcomers_met(conduct, end, test.window_s)
        case "meetings":
            return conducts.meetings(conduct, signal.party, end)
        case measure:
            return conducts.total(conduct, measure, end, test.window_s)


def _days(test: Test, conduct: Conduct, end: int) -> int:
    match test.measure:
        case "parties" | "newcomers" | "meetings":
            return 1
        case measure:
            return conducts.busy_days(conduct, measure, end, test.window_s)


def _usual(test: Test, own: tuple[int, int], end: int, around: Around) -> int | None:
    match test.measure:
        case "parties" | "newcomers" | "meetings":
            return None
        case measure:
            usual = others(measure, own, end, test.window_s, around)
            return None if usual is None else ceil(usual)


def others(
    measure: Measure, own: tuple[int, int], end: int, window_s: int, around: Around
) -> float | None:
    """How many others have of the measure for as many receipts; ``own`` is one's value and receipts.

    A cashier's others are those of the store, or all stores, whichever have more. None: too little is known of others.
    """
    value, base = own
    found = []
    for peer in (around.chain, around.store):
        if peer is not None:
            of = conducts.total(peer, "receipts", end, window_s) - base
            theirs = max(conducts.total(peer, measure, end, window_s) - value, 0)
            found += [base * theirs / of] if of >= ENOUGH else []
    return max(found, default=None)


def _marked(test: Test) -> Sequence[str]:
    match test.measure:
        case "parties" | "newcomers" | "meetings":
            return ("code_receipts", "promo_receipts", "unauthorised")
        case measure:
            return (measure,)


def _excess(finding: Finding) -> int:
    return 100 * finding.value // finding.at_least
