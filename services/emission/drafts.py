"""What somebody is typing, kept until it is saved or forgotten; nobody else sees it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from services.emission.cipher import CodeCipher
from services.emission.erasure import names
from services.emission.store import drafts as store
from services.emission.store.drafts import DraftRow, Form
from shared import clock
from shared.database import Connection
from shared.events.values import Event
from shared.web.problems import too_large

LIFETIME = timedelta(days=90)
MOST = 200
"""Of one owner: the oldest give way to new ones."""
MAX_BYTES = 256 * 1024


class NewDraft(Event):
    """A form as it stands, whatever is in it."""

    body: dict[str, Any]


@dataclass
class Drafts:
    """Keeps drafts, encrypted: what is typed may be a word that is not to be known yet."""

    pool: asyncpg.Pool
    cipher: CodeCipher
    now: Callable[[], datetime] = clock.now

    async def keep(self, form: Form, draft: NewDraft) -> datetime:
        """Keep the draft in place of the form's earlier one; when. Raises ``Problem`` (413)."""
        text = draft.model_dump_json()
        if len(text.encode()) > MAX_BYTES:
            raise too_large(MAX_BYTES)
        now = self.now()
        body = self.cipher.encrypt([text], _place(form), 0)
        async with self.pool.acquire() as connection, connection.transaction():
            await store.keep(connection, form, body, now)
            await store.forget(connection, form.owner, now - LIFETIME, MOST)
        return now

    async def draft(self, form: Form) -> tuple[dict[str, Any], datetime] | None:
        """What was kept of a form, and when; None: nothing, or too long ago."""
        async with self.pool.acquire() as connection:
            row = await store.draft(connection, form, self.now() - LIFETIME)
        return None if row is None else (self._opened(row), row.changed_at)

    async def drafts(self, owner: str) -> list[DraftRow]:
        """The owner's drafts, the newest first, without what is in them."""
        async with self.pool.acquire() as connection:
            return await store.drafts(connection, owner, self.now() - LIFETIME)

    async def delete(self, form: Form) -> bool:
        """Forget a draft; False if there is none."""
        async with self.pool.acquire() as connection:
            return await store.delete(connection, form)

    async def forget_customer(self, connection: Connection, customer_id: str) -> int:
        """Forget all drafts that name the customer, whoever types them; how many they were."""
        named = [
            row.form
            async for row in store.all_drafts(connection)
            if names([row.form.id, self._opened(row)], customer_id)
        ]
        for form in named:
            await store.delete(connection, form)
        return len(named)

    def _opened(self, row: DraftRow) -> dict[str, Any]:
        [text] = self.cipher.decrypt(row.body, _place(row.form), 0)
        return NewDraft.model_validate_json(text).body


def _place(form: Form) -> str:
    """What a draft's ciphertext is bound to; no emission's id has a space."""
    return f"draft {form.owner} {form.kind} {form.id}"
