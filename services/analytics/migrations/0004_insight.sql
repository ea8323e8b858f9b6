-- What marketers learn beside the live figures: effectiveness, unique customers, what is bought with
-- which code, caps. By days (UTC), or over the whole of a campaign. Money is minor units, quantities
-- thousandths.

-- Receipts with a benefit of the campaign, each once, whatever of its instruments it met; returns that took
-- back of it count on the day they came in, at the place of their sale.
create table campaign_days (
    day date not null,
    place_id int not null,
    receipts int not null,
    units bigint not null,
    discount bigint not null,
    revenue bigint not null,
    returned_discount bigint not null,
    refunded bigint not null,
    campaign_id text not null,
    primary key (day, campaign_id, place_id)
) with (fillfactor = 85);

-- What a campaign says that statistics need besides its name. terms: its caps (JSON); control_group: basis
-- points; compared_since: when that share was last changed, which begins the comparison anew.
create table campaign_terms (
    campaign_id text primary key,
    version int not null,
    control_group int not null,
    compared_since timestamptz,
    terms bytea not null
);

create table comparisons (
    comparison_id int generated always as identity primary key,
    campaign_id text not null,
    currency text not null,
    unique (campaign_id, currency)
);

-- Customers whom a campaign with a control group is for, and what they paid meanwhile, whatever they were
-- given. customer: a hash of the id, never the id.
create table participants (
    customer bigint not null,
    revenue bigint not null,
    comparison_id int not null,
    receipts int not null,
    held_back boolean not null,
    primary key (comparison_id, held_back, customer)
) with (fillfactor = 85);

-- What customers got back, by when they had bought it: a return may be counted before its sale is.
create table customer_refunds (
    customer bigint not null,
    sold_at timestamptz not null,
    refunded bigint not null,
    currency text not null,
    primary key (customer, currency, sold_at)
);
