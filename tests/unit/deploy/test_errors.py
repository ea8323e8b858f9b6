"""Errors say in one line what to do."""

import errno
import os
from pathlib import Path

import pytest

from deploy.local.errors import StackError, explain, explained, require_python

_WHERE = Path("/srv/till")


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "no space left"),
        (errno.EDQUOT, "no space left"),
        (errno.EACCES, "not writable"),
        (errno.EROFS, "not writable"),
        (errno.ENOENT, "not writable"),
        (errno.EIO, "/srv/till"),
    ],
)
def test_an_os_error_is_explained(number: int, said: str) -> None:
    """In one line, with the place."""
    text = str(explain(OSError(number, os.strerror(number)), _WHERE))
    assert said in text
    assert str(_WHERE) in text
    assert "\n" not in text


def test_the_wrong_python_is_refused() -> None:
    """Before anything is touched, and with the version that is needed."""
    with pytest.raises(StackError, match=r"needs Python 3\.11, this is 3\.13"):
        require_python((3, 13))
    require_python((3, 11))


def test_other_errors_pass() -> None:
    """Only what the operating system refuses is explained."""
    with pytest.raises(ValueError, match="mine"), explained(_WHERE):
        raise ValueError("mine")
