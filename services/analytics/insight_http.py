"""What marketers learn, over HTTP: effectiveness, caps, unique customers, categories."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Annotated

from fastapi import APIRouter, Query

from services.analytics import insight_figures, insight_reading
from services.analytics.parameters import DaysFilter
from services.analytics.reading import Question, Reading

Asked = Callable[[Question], AbstractAsyncContextManager[Reading]]


def add_insights(api: APIRouter, asking: Asked) -> None:
    """The questions; ``asking`` opens a reading."""

    @api.get("/effectiveness")
    async def effectiveness(
        asked: Annotated[DaysFilter, Query()],
    ) -> insight_figures.EffectivenessAnswer:
        """What campaigns brought, their uplift against the control group, and where to move budget.

        Whole days are counted, uplift over all of a campaign.
        """
        async with asking(asked.question) as read:
            return await insight_reading.answer_effectiveness(read)
