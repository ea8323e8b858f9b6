"""The demo on real servers: everything it replays reconciles, and its cap bites."""

import json
from pathlib import Path

import pytest

from deploy.demo import run
from deploy.local import stack
from deploy.local.state import StateDirectory

pytest.importorskip("pyarrow", reason="the demo's data set is an extra")

BASKETS = 1_000


@pytest.mark.slow
def test_a_replay_ends_with_everything_reconciled(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TILLSTREAM_KAFKA", raising=False)
    monkeypatch.delenv("TILLSTREAM_POSTGRES", raising=False)
    try:
        status = run(BASKETS, tmp_path)
    finally:
        stack.down(state=StateDirectory(tmp_path).demo, delete=True)
    shown = capsys.readouterr().out
    summary = json.loads(shown.strip().splitlines()[-1])
    assert (status, summary["reconciled"], summary["different"]) == (0, True, [])
    assert summary["baskets"] == BASKETS
    figures = {row["what"]: row["cells"] for row in summary["figures"]}
    assert set(figures["Sales sent = receipts recorded"].values()) == {BASKETS}
    assert set(figures["welcome-10: activations"].values()) == {BASKETS // 30}
    (returns,) = set(figures["Returns sent = returns recorded"].values())
    assert 0 < returns < BASKETS // 10
    assert all(figures["Refunded (cents)"].values())
    assert any(what.startswith("cj-") for what in figures)
    assert summary["profiles"] > BASKETS / 10
    assert "/dashboard – sign in as admin with " in shown
