"""Stores, customer groups and birthdays."""

from collections.abc import Sequence

from services.emission.store.listing import Listing, Page, Where
from shared.codec import decode, encode
from shared.database import Connection
from shared.events.reference import Customer, Store

MAX_GROUPS = 1_000
_REFERENCE = 0x7111_5EF0


async def lock_reference(connection: Connection) -> None:
    """One change at a time: a customer's groups and birthday are published as a whole."""
    await connection.execute("select pg_advisory_xact_lock($1)", _REFERENCE)


async def save_stores(connection: Connection, new: Sequence[Store]) -> list[Store]:
    """Keep the stores; those that are new or changed, in the order given."""
    rows = await connection.fetch(
        """
        insert into stores (store_id, body) select * from unnest($1::text[], $2::jsonb[])
        on conflict (store_id) do update set body = excluded.body
        where stores.body <> excluded.body
        returning store_id
        """,
        [store.store_id for store in new],
        [encode(store).decode() for store in new],
    )
    changed = {row["store_id"] for row in rows}
    return [store for store in new if store.store_id in changed]


STORES = Listing(
    """
    select store_id, body, body ->> 'name' as name, body ->> 'region' as region,
        lower(concat_ws(' ', store_id, body ->> 'name', body ->> 'region')) as search
    from stores
    """,
    "store_id",
    {"store_id": "store_id", "name": "lower(name)", "region": "lower(region)"},
)


async def stores(
    connection: Connection, page: Page, *, regions: Sequence[str] = (), ids: Sequence[str] = ()
) -> tuple[list[Store], int]:
    """A page of stores in one of the regions, with one of the ids, and how many there are."""
    where = Where()
    where.search("search", page.search)
    where.add("region = any({}::text[])", list(regions))
    where.add("store_id = any({}::text[])", list(ids))
    rows, total = await STORES.page(connection, where, page)
    return [decode(Store, row["body"].encode()) for row in rows], total


async def save_group(
    connection: Connection, group_id: str, name: str, members: Sequence[str]
) -> list[str]:
    """Keep the group with exactly these members; the customers that came or went."""
    await connection.execute(
        "insert into customer_groups (group_id, name) values ($1, $2) "
        "on conflict (group_id) do update set name = excluded.name",
        group_id,
        name,
    )
    rows = await connection.fetch(
        """
        with gone as (
            delete from group_members where group_id = $1 and not customer_id = any($2::text[])
            returning customer_id
        ), come as (
            insert into group_members (group_id, customer_id) select distinct $1, unnest($2::text[])
            on conflict do nothing returning customer_id
        )
        select customer_id from gone union all select customer_id from come order by customer_id
        """,
        group_id,
        list(members),
    )
    return [row["customer_id"] for row in rows]


async def customers(connection: Connection, ids: Sequence[str]) -> list[Customer]:
    """The customers, in that order, with all their groups and their birthdays, as far as known."""
    rows = await connection.fetch(
        """
        select customer_id, birthday, array(
            select group_id from group_members m where m.customer_id = c.customer_id order by group_id
        ) as groups
        from unnest($1::text[]) with ordinality as c (customer_id, position)
        left join birthdays using (customer_id)
        order by position
        """,
        ids,
    )
    return [
        Customer(customer_id=customer_id, groups=tuple(groups), birthday=birthday)
        for customer_id, birthday, groups in rows
    ]


async def save_birthdays(
    connection: Connection, new: Sequence[tuple[str, str | None]]
) -> list[str]:
    """Keep or forget (None) different customers' birthdays; the customers that this changed."""
    rows = await connection.fetch(
        """
        with given as (
            select * from unnest($1::text[], $2::text[]) as g (customer_id, birthday)
        ), forgotten as (
            delete from birthdays using given
            where birthdays.customer_id = given.customer_id and given.birthday is null
            returning birthdays.customer_id
        ), kept as (
            insert into birthdays select * from given where birthday is not null
            on conflict (customer_id) do update set birthday = excluded.birthday
            where birthdays.birthday <> excluded.birthday
            returning customer_id
        )
        select customer_id from forgotten union all select customer_id from kept
        order by customer_id
        """,
        [customer_id for customer_id, _ in new],
        [birthday for _, birthday in new],
    )
    return [row["customer_id"] for row in rows]


async def is_room_for_group(connection: Connection, group_id: str) -> bool:
    """Whether the group exists or another may: a customer's event has room for 1,000."""
    return bool(
        await connection.fetchval(
            "select count(*) < $2 from customer_groups where group_id <> $1", group_id, MAX_GROUPS
        )
    )


GROUPS = Listing(
    """
    select group_id, name, lower(group_id || ' ' || name) as search,
        (select count(*) from group_members m where m.group_id = g.group_id) as members
    from customer_groups g
    """,
    "group_id",
    {"group_id": "group_id", "name": "lower(name)", "members": "members"},
)


async def groups(
    connection: Connection, page: Page, *, ids: Sequence[str] = ()
) -> tuple[list[tuple[str, str, int]], int]:
    """A page of groups, each with name and number of members, and how many groups there are."""
    where = Where()
    where.search("search", page.search)
    where.add("group_id = any({}::text[])", list(ids))
    rows, total = await GROUPS.page(connection, where, page)
    return [(row["group_id"], row["name"], row["members"]) for row in rows], total


async def group(
    connection: Connection, group_id: str, after: str, limit: int
) -> tuple[str, list[str]] | None:
    """A group's name and its members by id, from the first after ``after``; None: no such group."""
    name = await connection.fetchval(
        "select name from customer_groups where group_id = $1", group_id
    )
    if name is None:
        return None
    rows = await connection.fetch(
        "select customer_id from group_members where group_id = $1 and customer_id > $2 "
        "order by customer_id limit $3",
        group_id,
        after,
        limit,
    )
    return name, [row["customer_id"] for row in rows]
