-- What was found last of groups that are bought together: of receipts since a time, "of" them all or a part.
create table cross_sell (
    one boolean primary key default true check (one),
    made_at timestamptz not null,
    since timestamptz not null,
    receipts bigint not null,
    of_receipts bigint not null
);
create table cross_sell_groups (
    group_name text primary key,
    receipts bigint not null
);
create table cross_sell_pairs (
    first text not null,
    second text not null,
    together bigint not null,
    of_first bigint not null,
    of_second bigint not null,
    primary key (first, second)
);
create index cross_sell_pairs_second on cross_sell_pairs (second);

-- Who bought in a region in a week (from Monday), as a sketch: it counts customers and knows none.
create table region_weeks (
    week date not null,
    region text not null,
    customers bytea not null,
    primary key (week, region)
) with (fillfactor = 50);
