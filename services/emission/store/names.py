"""What things are called that instruments refer to."""

from collections.abc import Sequence

import orjson

from services.emission.campaigns import emission_ids, group_ids, store_ids
from services.emission.sentence import Names, skus
from shared.database import Connection
from shared.events.promotion import Instrument


async def names(connection: Connection, instruments: Sequence[Instrument]) -> Names:
    """The names that the instruments' sentences need; the currency, if all stores have the same."""
    found = await connection.fetchrow(
        """
        select
            (select json_object_agg(emission_id, name) from emissions where emission_id = any($1)),
            (select json_object_agg(group_id, name) from customer_groups where group_id = any($2)),
            (select json_object_agg(store_id, body ->> 'name') from stores where store_id = any($3)),
            (select json_object_agg(sku, name) from products where sku = any($4)),
            array(select distinct body ->> 'currency' from stores limit 2)
        """,
        emission_ids(instruments),
        [one for instrument in instruments for one in group_ids(instrument)],
        [one for instrument in instruments for one in store_ids(instrument)],
        [one for instrument in instruments for one in skus(instrument)],
    )
    assert found is not None  # noqa: S101 - a row of five
    emissions, groups, stores, products = (orjson.loads(one or "{}") for one in found[:4])
    currencies = found[4]
    return Names(
        emissions=emissions,
        groups=groups,
        stores=stores,
        products=products,
        currency=currencies[0] if len(currencies) == 1 else None,
    )
