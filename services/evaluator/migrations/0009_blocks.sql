-- From whom promotions are withheld: since ≤ t < until (null: until it is lifted). A cashier is store:cashier.
create table blocks (
    kind text not null check (kind in ('customer', 'device', 'cashier')),
    subject text not null,
    since timestamptz not null,
    until timestamptz,
    changed_at timestamptz not null,
    primary key (kind, subject)
);

-- How often blocks have changed: whoever decides has all of them in memory, and reads them again then.
alter table ruleset add column blocks_version bigint not null default 0;
