"""What the tree promises: a pure core, services apart, one clock, functions that fit a screen."""

import ast
from collections.abc import Iterator
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


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def imports(path: Path) -> Iterator[str]:
    """Every module that is imported, also ``a.b`` of ``from a import b``."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", [p for p in CODE if name(p).startswith(CORE)], ids=name)
def test_the_core_imports_no_io_no_clock_and_no_logging(path: Path) -> None:
    found = [module for module in imports(path) if {module, module.split(".")[0]} & IMPURE]
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
        module
        for module in imports(path)
        if module.startswith(("services.", "deploy"))
        and not (own and (module == own or module.startswith(f"{own}.")))
    ]
    assert foreign == []


@pytest.mark.parametrize("path", CODE, ids=name)
def test_only_shared_clock_reads_a_clock(path: Path) -> None:
    if name(path) == "shared/clock.py":
        return
    found = [
        f"{name(path)}:{node.lineno}"
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and (node.func.value.id, node.func.attr) in CLOCKS
    ]
    assert found == []


@pytest.mark.parametrize("path", [*CODE, *TESTS], ids=name)
def test_functions_fit_a_screen_and_modules_hold_one_noun(path: Path) -> None:
    long = [
        f"{node.name}: {node.end_lineno - node.lineno} lines"
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno > LONGEST_FUNCTION
    ]
    assert long == []
    assert len(path.read_text().splitlines()) <= LONGEST_MODULE


@pytest.mark.parametrize("path", [*CODE, *TESTS], ids=name)
def test_no_exception_is_swallowed(path: Path) -> None:
    found = [
        node.lineno
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ExceptHandler)
        and len(node.body) == 1
        and isinstance(node.body[0], ast.Pass)
    ]
    assert found == []


@pytest.mark.parametrize("path", TESTS, ids=name)
def test_no_test_sleeps_to_synchronise(path: Path) -> None:
    found = [
        node.lineno
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "sleep"
        and (_is_time(node.func.value) or _is_long(node.args))
    ]
    assert found == []


def _is_time(value: ast.expr) -> bool:
    return isinstance(value, ast.Name) and value.id == "time"


def _is_long(arguments: list[ast.expr]) -> bool:
    first = arguments[0] if arguments else None
    return isinstance(first, ast.Constant) and isinstance(first.value, int) and first.value >= 1


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
