"""The statements that add a batch's cells to the tables of sums: per minute, and to every level."""

from services.analytics.cells import Kind, Level, levels_of

_PLACES = ("place_id", "area_id", "device_id", "everywhere_id")
_COLUMNS = {
    "place": _PLACES,
    "area": _PLACES[1:],
    "device": _PLACES[2:],
    "everywhere": _PLACES[3:],
}
_NARROWER = {"area": "place", "device": "area", "everywhere": "area"}


def additions(kind: Kind) -> str:
    """Add cells, each of which comes once.

    Its parameters are arrays, an element for each cell: minutes since 1970; of what it is, and what
    stands for all of that, if the kind has it; the place and what it is widened to; the measures.

    Arrays, because COPY needs a temporary table, which the service's role may not create; it would
    save the client 1 µs of the 14 µs that an event takes, and PostgreSQL nothing. Each upsert goes in
    the order of its key, so that two writers never wait for each other in a ring.
    """
    columns = {"minute": "int"}
    columns |= dict.fromkeys((*((kind.what, "all_of_it") if kind.what else ()), *_PLACES), "int")
    columns |= kind.measures
    arrays = ", ".join(f"${n}::{type_}[]" for n, type_ in enumerate(columns.values(), 1))
    keys, measures = ", ".join(kind.keys), ", ".join(kind.measures)
    summed = ", ".join(f"{name} = t.{name} + excluded.{name}" for name in kind.measures)
    levels = ", ".join(f"{_name(level)} as {_sums(kind, level)}" for level in levels_of(kind))
    rows = " union all ".join(_rows(kind, level) for level in levels_of(kind))
    instant = "'epoch'::timestamptz + minute * interval '1 minute'"
    return f"""
with added as materialized (
    select * from unnest({arrays}) as a ({", ".join(columns)})
), cells as (
    insert into {kind.cells} as t (minute, {keys}, {measures})
    select {instant}, {keys}, {measures} from added order by minute, {keys}
    on conflict (minute, {keys}) do update set {summed}
), {levels}
insert into {kind.levels} as t (hours, {keys}, at, {measures})
select hours, {keys}, {instant}, {measures} from ({rows}) level order by hours, {keys}, minute
on conflict (hours, {keys}, at) do update set {summed}
"""  # noqa: S608 - made of names of ours


def _name(level: Level) -> str:
    hours, what, where = level
    return f"{what}_{where}_{hours}"


def _sums(kind: Kind, level: Level) -> str:
    """The sums of a level, made of those of a finer one, which are fewer than the cells."""
    hours, what, where = level
    finer = ((hours, what, _NARROWER.get(where)), (hours, "each", where))
    source = next((_name(one) for one in levels_of(kind) if one in finer and one != level), None)
    start = "minute" if source else f"minute - minute % {hours * 60}"
    columns = [*((kind.what,) if kind.what and what == "each" else ())]
    columns += [*(("all_of_it",) if kind.what else ()), *_COLUMNS[where]]
    keys = ", ".join(map(str, columns))
    sums = ", ".join(f"sum({name})::bigint as {name}" for name in kind.measures)
    group = ", ".join(str(n) for n in range(1, len(columns) + 2))
    return (
        f"materialized (select {start} as minute, {keys}, {sums}"  # noqa: S608
        f" from {source or 'added'} group by {group})"
    )


def _rows(kind: Kind, level: Level) -> str:
    """A level's sums as rows of the table."""
    hours, what, where = level
    of_what = {"each": kind.what, "all": "all_of_it"}[what] if kind.what else None
    keys = [
        *((f"{of_what} as {kind.what}",) if of_what else ()),
        f"{_COLUMNS[where][0]} as place_id",
    ]
    columns = ", ".join([f"{hours} as hours", *keys, "minute", *kind.measures])
    return f"select {columns} from {_name(level)}"  # noqa: S608
