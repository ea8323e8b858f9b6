-- Live statistics: sums per minute (UTC, of occurred_at). Money is minor units, bonuses points.
-- Real cells are sparse (nearly one per event), so what repeats is interned to small integers and
-- a cell is its key and its sums; the views below are the tables that readers see.

create table places (
    place_id int generated always as identity primary key,
    store_id text not null,
    device text not null,
    region text not null,
    currency text not null,
    unique (store_id, device, region, currency)
);

create table offers (
    offer_id int generated always as identity primary key,
    campaign_id text not null,
    instrument_id text not null,
    unique (campaign_id, instrument_id)
);

create table refusal_kinds (
    refusal_kind_id int generated always as identity primary key,
    campaign_id text not null,
    instrument_id text not null,
    reason text not null,
    unique (campaign_id, instrument_id, reason)
);

-- Keys begin with the minute: live writes stay at the right edge of the index, whatever its size.
-- The fill factor leaves room for the updates of the minutes that are still filling (HOT).
create table receipt_cells (
    minute timestamptz not null,
    total bigint not null,
    discount bigint not null,
    paid bigint not null,
    bonuses bigint not null,
    place_id int not null,
    receipts int not null,
    primary key (minute, place_id)
) with (fillfactor = 85);

create table instrument_cells (
    minute timestamptz not null,
    discount bigint not null,
    revenue bigint not null,
    bonuses bigint not null,
    unauthorised_discount bigint not null,
    offer_id int not null,
    place_id int not null,
    carts int not null,
    decided int not null,
    activations int not null,
    unauthorised int not null,
    primary key (minute, offer_id, place_id)
) with (fillfactor = 85);

create table refusal_cells (
    minute timestamptz not null,
    refusal_kind_id int not null,
    place_id int not null,
    refusals int not null,
    primary key (minute, refusal_kind_id, place_id)
) with (fillfactor = 85);

create view receipt_minutes as
select c.minute, p.store_id, p.device, p.region, p.currency,
    c.receipts, c.total, c.discount, c.paid, c.bonuses
from receipt_cells c join places p using (place_id);

-- carts: cart revisions (a cart that changes is decided again) that considered the instrument at a
-- checkout; decided: those that it gave a benefit; refusals (below) count revisions, too;
-- activations, discount, revenue (paid amount of their receipts), bonuses: its committed redemptions.
create view instrument_minutes as
select c.minute, o.campaign_id, o.instrument_id, p.store_id, p.device, p.region, p.currency,
    c.carts, c.decided, c.activations, c.discount, c.revenue, c.bonuses,
    c.unauthorised, c.unauthorised_discount
from instrument_cells c join offers o using (offer_id) join places p using (place_id);

create view refusal_minutes as
select c.minute, k.campaign_id, k.instrument_id, k.reason,
    p.store_id, p.device, p.region, p.currency, c.refusals
from refusal_cells c join refusal_kinds k using (refusal_kind_id) join places p using (place_id);

-- The latest states, for names. An instrument is named as its campaign's snapshot names it.
create table campaigns (
    campaign_id text primary key,
    version int not null,
    name text not null,
    status text not null,
    time_zone text not null,
    starts_at timestamptz not null,
    ends_at timestamptz not null
);

create table instruments (
    campaign_id text not null,
    instrument_id text not null,
    name text not null,
    primary key (campaign_id, instrument_id)
);

create table stores (
    store_id text primary key,
    name text not null,
    region text not null,
    time_zone text not null,
    currency text not null
);
