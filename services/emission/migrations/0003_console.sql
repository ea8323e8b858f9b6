-- Who wrote what, and who changed it last; null: from before this was kept.
alter table emissions add created_by text, add changed_at timestamptz, add changed_by text;
alter table instruments
    add created_at timestamptz, add created_by text, add changed_at timestamptz, add changed_by text;
alter table campaigns
    add created_at timestamptz, add created_by text, add changed_at timestamptz, add changed_by text;

-- What there is already is where its history begins.
insert into changes (at, actor, action, kind, id, body)
select now(), 'tillstream', 'known', 'instrument', instrument_id, body from instruments
union all
select now(), 'tillstream', 'known', 'campaign', campaign_id,
    body || jsonb_build_object('status', status, 'version', version)
from campaigns
union all
select now(), 'tillstream', 'known', 'emission', emission_id, jsonb_strip_nulls(jsonb_build_object(
    'emission_id', emission_id, 'name', name, 'kind', kind, 'count', count, 'pattern', pattern,
    'single_use', single_use, 'valid_from', valid_from, 'valid_until', valid_until,
    'status', status, 'bound', bound
))
from emissions;

create index changes_at on changes (at);

-- The catalogue. Names are looked for as parts of ``search``: a hundred thousand are read in 50 ms.
create table products (
    sku text primary key,
    body jsonb not null,
    name text not null generated always as (body ->> 'name') stored,
    product_group text generated always as (body ->> 'group') stored,
    brand text generated always as (body ->> 'brand') stored,
    search text not null generated always as (lower(
        sku || ' ' || (body ->> 'name') || ' ' || coalesce(body ->> 'group', '') || ' '
        || coalesce(body ->> 'brand', '')
    )) stored
);
create index products_group on products (product_group);
create index products_brand on products (brand);

-- What somebody is typing, as it stands: JSON as text, which may hold what no column of jsonb can.
create table drafts (
    owner text not null,
    kind text not null,
    id text not null,
    body text not null,
    changed_at timestamptz not null,
    primary key (owner, kind, id)
);
create index drafts_changed on drafts (changed_at);
