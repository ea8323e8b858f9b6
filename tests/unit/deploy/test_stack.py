"""What a stack shows of itself."""

from pathlib import Path

from deploy.local.stack import Stack
from deploy.local.state import Secrets


def test_secrets_do_not_show_when_a_stack_is_printed() -> None:
    """Pytest prints fixtures, and tracebacks go to logs."""
    shown = repr(Stack(Path("s"), "k", "postgresql://u:password@h", Secrets.generate()))
    assert "password" not in shown
    assert "PRIVATE KEY" not in shown
