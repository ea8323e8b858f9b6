"""What runs come to is told by kind of fault, each figure apart."""

import pytest

from tests.faults import report
from tests.faults.recovery import Recovery
from tests.faults.run import Outcome
from tests.faults.schedule import plan

RUNS = [
    Outcome(plan(1, 120), [Recovery("kill kafka", away=9.0, first=1.0, every=2.0, http=0.5)]),
    Outcome(plan(2, 120), [Recovery("kill kafka", away=9.0, first=3.0, every=4.0, http=0.25)]),
]


@pytest.mark.parametrize(
    ("figure", "median", "greatest"),
    [("first", 1.0, 3.0), ("every", 2.0, 4.0), ("http", 0.25, 0.5)],
)
def test_recovery_is_told_over_kafka_and_over_http(
    figure: str, median: float, greatest: float
) -> None:
    for kind in ("kill kafka", "all"):
        told = report.summary(RUNS)["recovery"][kind]
        assert (told[f"{figure}_p50_s"], told[f"{figure}_p100_s"]) == (median, greatest)


def test_the_table_has_a_column_for_each_figure() -> None:
    table = report.table(RUNS)
    cells = {str(column.header): [*column.cells] for column in table.columns}
    assert cells["http p50"] == ["0.25", "0.25"]
    assert cells["http max"] == ["0.5", "0.5"]
    assert cells["every max"] == ["4.0", "4.0"]


def test_a_run_is_one_line_with_its_own_recovery() -> None:
    assert "kill kafka 9.0+1.00/2.00/0.50 s" in report.line(RUNS[0])
