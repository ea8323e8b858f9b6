-- Sums per hour and day (UTC) beside those per minute, and wider than one place and one offer, so that
-- every question reads few rows; the code that an offer was got with; receipts with a promotion; and the
-- latest activations, one by one (decision 13).

-- An empty text stands for all: of places, offers and refusal kinds alike.
alter table offers add emission_id text not null default '';
alter table offers drop constraint offers_campaign_id_instrument_id_key;
alter table offers add unique (campaign_id, instrument_id, emission_id);

insert into places (store_id, device, region, currency)
select distinct '', device, region, currency from places
union
select distinct '', device, '', currency from places
union
select distinct '', '', '', currency from places;
insert into offers (campaign_id, instrument_id) values ('', '');
insert into refusal_kinds (campaign_id, instrument_id, reason)
select distinct '', '', reason from refusal_kinds;

-- What each place, offer and refusal kind is counted as: itself, and what stands for more than it: a
-- device and region, a device (per day only), everything of a currency; all offers; all for a reason.
create view place_levels as
select p.place_id, w.place_id as level_id, w.device <> '' and w.region = '' as days_only
from places p
join places w on w.currency = p.currency and (
    w.place_id = p.place_id
    or (w.store_id = '' and w.device in (p.device, '') and w.region in (p.region, '')
        and (w.device <> '' or w.region = '')))
where p.store_id <> '';

create view offer_levels as
select o.offer_id, w.offer_id as level_id
from offers o join offers w on w.offer_id = o.offer_id or w.campaign_id = ''
where o.campaign_id <> '';

create view refusal_kind_levels as
select k.refusal_kind_id, w.refusal_kind_id as level_id
from refusal_kinds k
join refusal_kinds w on w.reason = k.reason
    and (w.refusal_kind_id = k.refusal_kind_id or w.campaign_id = '')
where k.campaign_id <> '';

-- promo_receipts, promo_paid: of the receipts those with a committed redemption. What was counted before
-- does not tell, and counts as none.
alter table receipt_cells
    add promo_paid bigint not null default 0,
    add promo_receipts int not null default 0;

-- Keys end with the time: what is asked of a level is few places and offers over a long time. It is
-- written at the right edge of each of them, which are as many as there are, whatever the time.
create table receipt_levels (
    at timestamptz not null,
    total bigint not null,
    discount bigint not null,
    paid bigint not null,
    bonuses bigint not null,
    promo_paid bigint not null,
    place_id int not null,
    receipts int not null,
    promo_receipts int not null,
    hours smallint not null,
    primary key (hours, place_id, at)
) with (fillfactor = 85);

create table return_levels (
    at timestamptz not null,
    refunded bigint not null,
    place_id int not null,
    returns int not null,
    hours smallint not null,
    primary key (hours, place_id, at)
) with (fillfactor = 85);

create table instrument_levels (
    at timestamptz not null,
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
    hours smallint not null,
    primary key (hours, offer_id, place_id, at)
) with (fillfactor = 85);

create table take_back_levels (
    at timestamptz not null,
    returned_discount bigint not null,
    returned_bonuses bigint not null,
    returned_unauthorised_discount bigint not null,
    offer_id int not null,
    place_id int not null,
    returned int not null,
    hours smallint not null,
    primary key (hours, offer_id, place_id, at)
) with (fillfactor = 85);

create table refusal_levels (
    at timestamptz not null,
    refusal_kind_id int not null,
    place_id int not null,
    refusals int not null,
    hours smallint not null,
    primary key (hours, refusal_kind_id, place_id, at)
) with (fillfactor = 85);

-- What single places have within the hours is read per minute.
create index on receipt_cells (place_id, minute);
create index on instrument_cells (place_id, minute);

-- All levels of what the minutes have, into empty tables: what is wider than a single place (and offer) per
-- hour, per day from that; single ones per day. Not per hour: they are as sparse as per minute, it would be
-- a copy.
create function fill_levels() returns void language sql set search_path from current as $$
    insert into receipt_levels (hours, place_id, at, receipts, total, discount, paid, bonuses, promo_receipts, promo_paid)
    select 1, p.level_id, date_bin('1 hour', minute, 'epoch'), sum(receipts), sum(total),
        sum(discount), sum(paid), sum(bonuses), sum(promo_receipts), sum(promo_paid)
    from receipt_cells c join place_levels p using (place_id)
    where not p.days_only and (p.level_id <> c.place_id)
    group by 1, 2, 3 order by 1, 2, 3;
    insert into receipt_levels (hours, place_id, at, receipts, total, discount, paid, bonuses, promo_receipts, promo_paid)
    select 24, place_id, date_bin('1 day', at, 'epoch'), sum(receipts), sum(total), sum(discount),
        sum(paid), sum(bonuses), sum(promo_receipts), sum(promo_paid)
    from receipt_levels where hours = 1 group by 1, 2, 3 order by 1, 2, 3;
    insert into receipt_levels (hours, place_id, at, receipts, total, discount, paid, bonuses, promo_receipts, promo_paid)
    select 24, p.level_id, date_bin('1 day', minute, 'epoch'), sum(receipts), sum(total),
        sum(discount), sum(paid), sum(bonuses), sum(promo_receipts), sum(promo_paid)
    from receipt_cells c join place_levels p using (place_id)
    where p.days_only or p.level_id = c.place_id group by 1, 2, 3 order by 1, 2, 3;

    insert into return_levels (hours, place_id, at, returns, refunded)
    select 1, p.level_id, date_bin('1 hour', minute, 'epoch'), sum(returns), sum(refunded)
    from return_cells c join place_levels p using (place_id)
    where not p.days_only and (p.level_id <> c.place_id)
    group by 1, 2, 3 order by 1, 2, 3;
    insert into return_levels (hours, place_id, at, returns, refunded)
    select 24, place_id, date_bin('1 day', at, 'epoch'), sum(returns), sum(refunded)
    from return_levels where hours = 1 group by 1, 2, 3 order by 1, 2, 3;
    insert into return_levels (hours, place_id, at, returns, refunded)
    select 24, p.level_id, date_bin('1 day', minute, 'epoch'), sum(returns), sum(refunded)
    from return_cells c join place_levels p using (place_id)
    where p.days_only or p.level_id = c.place_id group by 1, 2, 3 order by 1, 2, 3;

    insert into instrument_levels (hours, offer_id, place_id, at, carts, decided, activations, discount, revenue, bonuses,
        unauthorised, unauthorised_discount)
    select 1, o.level_id, p.level_id, date_bin('1 hour', minute, 'epoch'), sum(carts), sum(decided),
        sum(activations), sum(discount), sum(revenue), sum(bonuses), sum(unauthorised),
        sum(unauthorised_discount)
    from instrument_cells c join place_levels p using (place_id)
        join offer_levels o using (offer_id)
    where not p.days_only and (o.level_id <> c.offer_id or p.level_id <> c.place_id)
    group by 1, 2, 3, 4 order by 1, 2, 3, 4;
    insert into instrument_levels (hours, offer_id, place_id, at, carts, decided, activations, discount, revenue, bonuses,
        unauthorised, unauthorised_discount)
    select 24, offer_id, place_id, date_bin('1 day', at, 'epoch'), sum(carts), sum(decided),
        sum(activations), sum(discount), sum(revenue), sum(bonuses), sum(unauthorised),
        sum(unauthorised_discount)
    from instrument_levels where hours = 1 group by 1, 2, 3, 4 order by 1, 2, 3, 4;
    insert into instrument_levels (hours, offer_id, place_id, at, carts, decided, activations, discount, revenue, bonuses,
        unauthorised, unauthorised_discount)
    select 24, o.level_id, p.level_id, date_bin('1 day', minute, 'epoch'), sum(carts), sum(decided),
        sum(activations), sum(discount), sum(revenue), sum(bonuses), sum(unauthorised),
        sum(unauthorised_discount)
    from instrument_cells c join place_levels p using (place_id)
        join offer_levels o using (offer_id)
    where p.days_only or (p.level_id = c.place_id and o.level_id = c.offer_id) group by 1, 2, 3, 4 order by 1, 2, 3, 4;

    insert into take_back_levels (hours, offer_id, place_id, at, returned, returned_discount, returned_bonuses,
        returned_unauthorised_discount)
    select 1, o.level_id, p.level_id, date_bin('1 hour', minute, 'epoch'), sum(returned),
        sum(returned_discount), sum(returned_bonuses), sum(returned_unauthorised_discount)
    from take_back_cells c join place_levels p using (place_id)
        join offer_levels o using (offer_id)
    where not p.days_only and (o.level_id <> c.offer_id or p.level_id <> c.place_id)
    group by 1, 2, 3, 4 order by 1, 2, 3, 4;
    insert into take_back_levels (hours, offer_id, place_id, at, returned, returned_discount, returned_bonuses,
        returned_unauthorised_discount)
    select 24, offer_id, place_id, date_bin('1 day', at, 'epoch'), sum(returned),
        sum(returned_discount), sum(returned_bonuses), sum(returned_unauthorised_discount)
    from take_back_levels where hours = 1 group by 1, 2, 3, 4 order by 1, 2, 3, 4;
    insert into take_back_levels (hours, offer_id, place_id, at, returned, returned_discount, returned_bonuses,
        returned_unauthorised_discount)
    select 24, o.level_id, p.level_id, date_bin('1 day', minute, 'epoch'), sum(returned),
        sum(returned_discount), sum(returned_bonuses), sum(returned_unauthorised_discount)
    from take_back_cells c join place_levels p using (place_id)
        join offer_levels o using (offer_id)
    where p.days_only or (p.level_id = c.place_id and o.level_id = c.offer_id) group by 1, 2, 3, 4 order by 1, 2, 3, 4;

    insert into refusal_levels (hours, refusal_kind_id, place_id, at, refusals)
    select 1, r.level_id, p.level_id, date_bin('1 hour', minute, 'epoch'), sum(refusals)
    from refusal_cells c join place_levels p using (place_id)
        join refusal_kind_levels r using (refusal_kind_id)
    where not p.days_only and (r.level_id <> c.refusal_kind_id or p.level_id <> c.place_id)
    group by 1, 2, 3, 4 order by 1, 2, 3, 4;
    insert into refusal_levels (hours, refusal_kind_id, place_id, at, refusals)
    select 24, refusal_kind_id, place_id, date_bin('1 day', at, 'epoch'), sum(refusals)
    from refusal_levels where hours = 1 group by 1, 2, 3, 4 order by 1, 2, 3, 4;
    insert into refusal_levels (hours, refusal_kind_id, place_id, at, refusals)
    select 24, r.level_id, p.level_id, date_bin('1 day', minute, 'epoch'), sum(refusals)
    from refusal_cells c join place_levels p using (place_id)
        join refusal_kind_levels r using (refusal_kind_id)
    where p.days_only or (p.level_id = c.place_id and r.level_id = c.refusal_kind_id) group by 1, 2, 3, 4 order by 1, 2, 3, 4;
$$;

select fill_levels();

create or replace view receipt_minutes as
select c.minute, p.store_id, p.device, p.region, p.currency,
    c.receipts, c.total, c.discount, c.paid, c.bonuses, c.promo_receipts, c.promo_paid
from receipt_cells c join places p using (place_id);

create or replace view instrument_minutes as
select c.minute, o.campaign_id, o.instrument_id, p.store_id, p.device, p.region, p.currency,
    c.carts, c.decided, c.activations, c.discount, c.revenue, c.bonuses,
    c.unauthorised, c.unauthorised_discount, o.emission_id
from instrument_cells c join offers o using (offer_id) join places p using (place_id);

create or replace view take_back_minutes as
select c.minute, o.campaign_id, o.instrument_id, p.store_id, p.device, p.region, p.currency,
    c.returned, c.returned_discount, c.returned_bonuses, c.returned_unauthorised_discount,
    o.emission_id
from take_back_cells c join offers o using (offer_id) join places p using (place_id);

-- The latest committed redemptions, as they were counted. Ids rise in the order of the commits, without
-- gaps: whoever adds some holds the only row of the other table until its transaction ends.
create table activations (
    activation_id bigint primary key,
    occurred_at timestamptz not null,
    counted_at timestamptz not null default now(),
    discount bigint not null,
    bonuses bigint not null,
    paid bigint not null,
    offer_id int not null,
    place_id int not null
) with (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 5000);

create table activation_ids (
    only_row boolean primary key default true check (only_row),
    latest bigint not null default 0
) with (fillfactor = 10);
insert into activation_ids default values;
