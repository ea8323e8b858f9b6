"""What the tree promises: a pure core, services apart, one clock, functions that fit a screen."""

import ast
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CODE = sorted(
    path for top in ("shared", "services", "deploy") for path in (ROOT / top).rglob("*.py")
)
TESTS = sorted((ROOT / "tests").rglob("*.py"))

LONGEST_FUNCTION = 70
LONGEST_MODULE = 400

# The pure core: left of the bar in docs/architecture.md. Modules, or whole packages.
CORE = (
    "services/evaluator/promotion",
    "services/evaluator/backtest/",
    "services/evaluator/account.py",
    "services/evaluator/accounts.py",
    "services/evaluator/answer.py",
    "services/evaluator/batch.py",
    "services/evaluator/bonuses.py",
    "services/evaluator/cart.py",
    "services/evaluator/certificate.py",
    "services/evaluator/circumstances.py",
    "services/evaluator/counters.py",
    "services/evaluator/discretion.py",
    "services/evaluator/erasure.py",
    "services/evaluator/explanation.py",
    "services/evaluator/guessing.py",
    "services/evaluator/lease.py",
    "services/evaluator/memory.py",
    "services/evaluator/orders.py",
    "services/evaluator/payment.py",
    "services/evaluator/purchases.py",
    "services/evaluator/receipt.py",
    "services/evaluator/record.py",
    "services/evaluator/recording.py",
    "services/evaluator/redemption.py",
    "services/evaluator/returns.py",
    "services/evaluator/reversal.py",
    "services/evaluator/sale.py",
    "services/emission/campaigns.py",
    "services/emission/codes.py",
    "services/emission/copying.py",
    "services/emission/erasure.py",
    "services/emission/history.py",
    "services/emission/keys.py",
    "services/emission/lockout.py",
    "services/emission/requests.py",
    "services/emission/users.py",
    "services/emission/sentence",
    "services/emission/sheet.py",
    "services/emission/table.py",
    "services/emission/validation",
    "services/analytics/cells.py",
    "services/analytics/days.py",
    "services/analytics/dimensions.py",
    "services/analytics/figures.py",
    "services/analytics/insight/caps.py",
    "services/analytics/insight/customers.py",
    "services/analytics/insight/effectiveness.py",
    "services/analytics/insight/figures.py",
    "services/analytics/insight/folding.py",
    "services/analytics/insight/forecast.py",
    "services/analytics/rollup.py",
    "services/analytics/spreadsheet.py",
    "services/analytics/statements.py",
    "services/analytics/tables.py",
    "services/analytics/window.py",
    "services/customers/feed/activity.py",
    "services/customers/feed/cloud_events.py",
    "services/customers/feed/columns.py",
    "services/customers/feed/customer_views.py",
    "services/customers/feed/late.py",
    "services/customers/feed/patience.py",
    "services/customers/feed/pseudonym.py",
    "services/customers/feed/receiver.py",
    "services/customers/feed/signing.py",
    "services/customers/cross_sell/pairs.py",
    "services/customers/fraud/alerting.py",
    "services/customers/fraud/conduct.py",
    "services/customers/fraud/detection.py",
    "services/customers/fraud/features.py",
    "services/customers/fraud/model.py",
    "services/customers/fraud/rules.py",
    "services/customers/fraud/signals.py",
    "services/customers/messages.py",
    "services/customers/offers/backing.py",
    "services/customers/offers/life.py",
    "services/customers/offers/moment.py",
    "services/customers/offers/outcome.py",
    "services/customers/offers/plan.py",
    "services/customers/offers/policy.py",
    "services/customers/offers/reaction.py",
    "services/customers/offers/sales.py",
    "services/customers/profile.py",
    "services/customers/regions/customers.py",
    "services/customers/regions/traffic.py",
    "services/customers/segments/assessment.py",
    "services/customers/segments/builtin.py",
    "services/customers/segments/check.py",
    "services/customers/segments/definition.py",
    "services/customers/segments/estimate.py",
    "services/customers/segments/evaluation.py",
    "services/customers/segments/naming.py",
    "services/customers/segments/rfm.py",
    "services/customers/segments/sentence",
    "services/customers/segments/survey.py",
    "services/customers/segments/windows.py",
    "services/customers/store_clock.py",
    "services/customers/summary.py",
    "services/customers/forecast/backtest.py",
    "services/customers/forecast/bg_nbd.py",
    "services/customers/forecast/boosted.py",
    "services/customers/forecast/features.py",
    "services/customers/forecast/figures.py",
    "services/customers/forecast/history.py",
    "services/customers/forecast/learning.py",
    "services/customers/forecast/model.py",
    "services/customers/forecast/models.py",
    "services/customers/forecast/outlook.py",
    "services/customers/forecast/purchases.py",
    "services/customers/forecast/running_mean.py",
    "shared/events",
    "shared/wording.py",
    "shared/codes.py",
    "shared/watchdog.py",
)
IMPURE = {
    "aiokafka",
    "asyncio",
    "asyncpg",
    "fastapi",
    "httpx",
    "logging",
    "os",
    "prometheus_client",
    "random",
    "shared.clock",
    "socket",
    "structlog",
    "subprocess",
    "time",
    "uvicorn",
}
CLOCKS = {
    ("datetime", "now"),
    ("datetime", "today"),
    ("datetime", "utcnow"),
    ("date", "today"),
    ("time", "monotonic"),
    ("time", "perf_counter"),
    ("time", "time"),
}
# A registry's address would tie the project to a machine's settings; written so as not to match.
REGISTRIES = tuple(f"{host}.org" for host in ("pypi", "pythonhosted", "npmjs", "maven"))


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@dataclass
class Module:
    """What tests ask of a module, gathered on one walk through it; all but imports by their lines."""

    imports: list[str] = field(default_factory=list)
    """Also ``a.b`` of ``from a import b``."""
    clocks: list[int] = field(default_factory=list)
    sleeps: list[int] = field(default_factory=list)
    swallowed: list[int] = field(default_factory=list)
    long: list[str] = field(default_factory=list)
    lines: int = 0

    def add(self, node: ast.AST) -> None:
        match node:
            case ast.Import():
                self.imports += [alias.name for alias in node.names]
            case ast.ImportFrom(module=str() as of):
                self.imports += [of, *(f"{of}.{alias.name}" for alias in node.names)]
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                lines = (node.end_lineno or node.lineno) - node.lineno
                self.long += [f"{node.name}: {lines} lines"] if lines > LONGEST_FUNCTION else []
            case ast.ExceptHandler(body=[ast.Pass()]):
                self.swallowed.append(node.lineno)
            case ast.Call(func=ast.Attribute(value=value, attr=called)):
                owner = value.id if isinstance(value, ast.Name) else ""
                self.clocks += [node.lineno] if (owner, called) in CLOCKS else []
                if called == "sleep" and (owner == "time" or _is_long(node.args)):
                    self.sleeps.append(node.lineno)


@cache
def module(path: Path) -> Module:
    text = path.read_text()
    found = Module(lines=len(text.splitlines()))
    for node in ast.walk(ast.parse(text)):
        found.add(node)
    return found


def _is_long(arguments: list[ast.expr]) -> bool:
    first = arguments[0] if arguments else None
    return isinstance(first, ast.Constant) and isinstance(first.value, int) and first.value >= 1


@pytest.mark.parametrize("path", [p for p in CODE if name(p).startswith(CORE)], ids=name)
def test_the_core_imports_no_io_no_clock_and_no_logging(path: Path) -> None:
    found = [one for one in module(path).imports if {one, one.split(".")[0]} & IMPURE]
    assert found == []


def test_every_part_of_the_core_is_there() -> None:
    assert [part for part in CORE if not (ROOT / part).exists()] == []


@pytest.mark.parametrize("path", CODE, ids=name)
def test_services_import_only_themselves_and_shared(path: Path) -> None:
    parts = name(path).split("/")
    own = f"services.{parts[1]}" if parts[0] == "services" and len(parts) > 2 else ""
    if parts[0] == "deploy":
        return
    foreign = [
        one
        for one in module(path).imports
        if one.startswith(("services.", "deploy"))
        and not (own and (one == own or one.startswith(f"{own}.")))
    ]
    assert foreign == []


@pytest.mark.parametrize("path", CODE, ids=name)
def test_only_shared_clock_reads_a_clock(path: Path) -> None:
    if name(path) == "shared/clock.py":
        return
    assert module(path).clocks == []


@pytest.mark.parametrize("path", [*CODE, *TESTS], ids=name)
def test_functions_fit_a_screen_and_modules_hold_one_noun(path: Path) -> None:
    assert module(path).long == []
    assert module(path).lines <= LONGEST_MODULE


@pytest.mark.parametrize("path", [*CODE, *TESTS], ids=name)
def test_no_exception_is_swallowed(path: Path) -> None:
    assert module(path).swallowed == []


@pytest.mark.parametrize("path", TESTS, ids=name)
def test_no_test_sleeps_to_synchronise(path: Path) -> None:
    assert module(path).sleeps == []


@pytest.mark.parametrize("path", [*CODE, *TESTS], ids=name)
def test_no_module_is_a_drawer(path: Path) -> None:
    assert path.stem not in {"utils", "util", "helpers", "common", "misc"}


def test_no_file_names_a_registry() -> None:
    texts = [
        *(path for path in ROOT.glob("*") if path.is_file()),
        *CODE,
        *TESTS,
        *(ROOT / "docs").rglob("*.md"),
    ]
    found = [
        name(path)
        for path in texts
        if any(address in path.read_text(errors="ignore") for address in REGISTRIES)
    ]
    assert found == []
