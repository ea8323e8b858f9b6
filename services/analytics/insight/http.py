"""What marketers learn, over HTTP: effectiveness, caps, unique customers, categories."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Annotated, Any

from fastapi import APIRouter, Query

from services.analytics.answers import OR_CSV, answered
from services.analytics.dimensions import Selection
from services.analytics.figures import Figures
from services.analytics.insight import caps_reading, figures, reading
from services.analytics.parameters import (
    CapsFilter,
    CategoriesFilter,
    CustomersFilter,
    DaysFilter,
)
from services.analytics.reading import Question, Reading
from services.analytics.sharing import Sharing

Asked = Callable[[Question], AbstractAsyncContextManager[Reading]]


def add_insights(api: APIRouter, asking: Asked, sharing: Sharing[Figures]) -> None:
    """The questions; ``asking`` opens a reading, ``sharing`` keeps answers that every dashboard asks for."""

    async def shared(
        name: str, question: Question, answer: Callable[[Reading], Awaitable[Figures]]
    ) -> Figures:
        async def work_out() -> Figures:
            async with asking(question) as read:
                return await answer(read)

        return await sharing.of((name, question), work_out)

    @api.get("/effectiveness", response_model=figures.EffectivenessAnswer, responses=OR_CSV)
    async def effectiveness(asked: Annotated[DaysFilter, Query()]) -> Any:
        """What campaigns brought, their uplift against the control group, and where to move budget.

        Whole days are counted, uplift over all of a campaign.
        """
        async with asking(asked.question) as read:
            return answered(asked, await reading.answer_effectiveness(read), "effectiveness")

    @api.get("/caps", response_model=figures.CapsAnswer, responses=OR_CSV)
    async def caps(asked: Annotated[CapsFilter, Query()]) -> Any:
        """What is used of the caps of campaigns, and when they will be used up at the latest rate."""
        question = Question(selection=Selection(campaign_id=asked.campaign_id))
        return answered(asked, await shared("caps", question, caps_reading.answer_caps), "caps")

    @api.get("/customers", response_model=figures.CustomersAnswer, responses=OR_CSV)
    async def customers(asked: Annotated[CustomersFilter, Query()]) -> Any:
        """How many different customers bought, estimated; with each campaign, and on each day."""
        answer = await shared("customers", asked.question, reading.answer_customers)
        return answered(asked, answer, "customers")

    @api.get("/categories", response_model=figures.CategoriesAnswer, responses=OR_CSV)
    async def categories(asked: Annotated[CategoriesFilter, Query()]) -> Any:
        """Which product groups are bought with which instruments and codes, and at which margin."""
        async with asking(asked.question) as read:
            return answered(
                asked,
                await reading.answer_categories(read, asked.emission_id),
                "categories",
            )
