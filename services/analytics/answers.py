"""Answers over HTTP, in the form that was asked for."""

from http import HTTPStatus
from typing import Any, Protocol

from starlette.responses import StreamingResponse

from services.analytics import spreadsheet
from services.analytics.figures import Figures
from services.analytics.parameters import Format

OR_CSV: dict[int | str, dict[str, Any]] = {
    HTTPStatus.OK.value: {"content": {"text/csv": {"schema": {"type": "string"}}}}
}
"""What else a table may be answered as."""


class _Asked(Protocol):
    """Parameters that say a form."""

    @property
    def format(self) -> Format:
        """Which."""


def answered(asked: _Asked, answer: Figures, name: str) -> Any:
    """The answer, in the form that was asked for."""
    if asked.format == "json":
        return answer
    return StreamingResponse(
        spreadsheet.lines(answer),
        media_type="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
    )
