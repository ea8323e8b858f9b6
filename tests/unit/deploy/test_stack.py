"""What a stack shows of itself."""

from pathlib import Path

import pytest

from deploy.local import stack
from deploy.local.errors import StackError
from deploy.local.stack import Stack
from deploy.local.state import Secrets, StateDirectory


def test_secrets_do_not_show_when_a_stack_is_printed() -> None:
    """Pytest prints fixtures, and tracebacks go to logs."""
    shown = repr(Stack(Path("s"), "k", "postgresql://u:password@h", Secrets.generate()))
    assert "password" not in shown
    assert "PRIVATE KEY" not in shown


@pytest.mark.parametrize("name", ["notes.txt", "secrets.json", "logs", "demo/campaigns.py"])
def test_a_directory_of_somebody_else_is_not_deleted(tmp_path: Path, name: str) -> None:
    """Whatever it looks like: only what we made is ours to delete."""
    theirs = tmp_path / name
    theirs.parent.mkdir(exist_ok=True)
    theirs.write_text('{"mine": 1}')
    with pytest.raises(StackError, match="no state directory of Tillstream: nothing was deleted"):
        stack.down(tmp_path, delete=True)
    assert theirs.exists()


def test_a_state_directory_is_deleted_with_the_demos(tmp_path: Path) -> None:
    """And what others put beside the data stays."""
    state = StateDirectory(tmp_path / "state")
    for directory in (state, StateDirectory(state.demo)):
        directory.prepare()
        directory.secrets()
    note = state.path / "note.txt"
    note.write_text("keep")
    stack.down(state.path, delete=True)
    assert list(state.path.iterdir()) == [note]


def test_what_is_not_there_or_empty_is_as_good_as_deleted(tmp_path: Path) -> None:
    """Deleting twice is no error."""
    for path in (tmp_path / "never", tmp_path):
        assert stack.down(path, delete=True) is False


def test_a_start_does_not_mix_its_data_with_somebody_elses(tmp_path: Path) -> None:
    """They could not be told apart later."""
    (tmp_path / "logs").mkdir()
    with pytest.raises(StackError, match="name an empty state directory"):
        StateDirectory(tmp_path).prepare()
