-- Who bought, as hashes of customers' ids in the sketches of HyperLogLog (datasketches): unions count
-- nobody twice. A campaign of '' is all receipts.
create table campaign_numbers (
    campaign_number int generated always as identity primary key,
    campaign_id text not null unique
);

-- scope: 'all', 'device=…', 'region=…', or 'place=' and its number: what is asked most is in few rows.
create table customer_sketches (
    day date not null,
    campaign_number int not null,
    scope text not null,
    sketch bytea not null,
    primary key (campaign_number, scope, day)
);
alter table customer_sketches alter column sketch set storage external;

-- What is not in the sketches yet, as it came: a row for each batch of the rollup.
create table customer_marks (
    mark_id bigint generated always as identity primary key,
    marks bytea not null
);

-- What was bought on receipts with a benefit, as it was sold, by the code it was got with (emission_id ''
-- without one) and by product group ('' none). covered and cost: of the goods whose cost is known.
create table basket_days (
    day date not null,
    quantity bigint not null,
    amount bigint not null,
    discount bigint not null,
    covered bigint not null,
    cost bigint not null,
    lines int not null,
    campaign_id text not null,
    instrument_id text not null,
    emission_id text not null,
    currency text not null,
    "group" text not null,
    primary key (day, currency, campaign_id, instrument_id, emission_id, "group")
) with (fillfactor = 85);

-- cost: minor units of currency for a unit.
create table products (
    sku text primary key,
    cost bigint,
    "group" text,
    currency text
);
