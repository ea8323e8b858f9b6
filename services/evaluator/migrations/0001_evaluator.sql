-- Reference data, from emission's topics.
create table stores (
    store_id text primary key,
    region text not null,
    currency text not null,
    time_zone text not null,
    latitude_e6 int,
    longitude_e6 int
);

-- birthday: MM-DD.
create table customers (
    customer_id text primary key,
    groups text[] not null,
    birthday text
);

-- Those who left stay as non-members: an older change that comes late must not bring them back.
create table customer_segments (
    customer_id text not null,
    segment_id text not null,
    member boolean not null,
    changed_at timestamptz not null,
    primary key (customer_id, segment_id)
);

-- Keyed digests only: a stolen database does not give the codes away.
-- holder: the customer that the code is bound to.
create table codes (
    digest bytea primary key,
    emission_id text not null,
    holder text
);

create table emissions (
    emission_id text primary key,
    posted_at timestamptz not null,
    codes_held bigint not null
);

-- Chunks that were taken in: one that comes again (a dead letter sent again) is not counted twice.
create table code_chunks (
    emission_id text not null,
    chunk int not null,
    primary key (emission_id, chunk)
);

-- version: the offset on promo.campaigns.v1 of the campaign's latest state; stopped_at: since when it
-- has been paused or finished, by its events.
create table campaigns (
    campaign_id text primary key,
    version bigint not null,
    definition bytea not null,
    stopped_at timestamptz
);
create index campaigns_version on campaigns (version);

-- Every state that a decision may have been made by.
create table campaign_versions (
    version bigint primary key,
    campaign_id text not null,
    definition bytea not null
);
create index campaign_versions_campaign on campaign_versions (campaign_id, version);

-- version: of the rules; codes_version: how often codes have arrived.
create table ruleset (
    only_row boolean primary key default true check (only_row),
    version bigint not null default -1,
    codes_version bigint not null default 0
);
insert into ruleset default values;

-- Each event of a till once: the same id with the same body has one effect and one answer.
-- With the body and the facts it was decided by, so that every decision can be made again.
create table checkout_events (
    event_key bytea primary key,
    body_digest bytea not null,
    receipt_id text not null,
    kind text not null check (kind in ('cart', 'sale', 'return')),
    body bytea not null,
    decision bytea,
    facts bytea,
    received_at timestamptz not null
);
alter table checkout_events
    alter body set storage external, alter decision set storage external, alter facts set storage external;
create index checkout_events_received on checkout_events using brin (received_at);

create table receipts (
    receipt_id text primary key,
    store_id text not null,
    terminal_id text not null,
    revision int not null,
    body_digest bytea,
    status text not null check (status in ('open', 'cancelled', 'paid')),
    -- The event whose decision its redemptions come from.
    decided_by bytea,
    updated_at timestamptz not null
);

create table redemptions (
    redemption_id text primary key,
    -- No foreign key: it would be checked a thousand times a batch, and both are written together.
    receipt_id text not null,
    campaign_id text not null,
    instrument_id text not null,
    status text not null
        check (status in ('held', 'committed', 'released', 'expired', 'unauthorised')),
    discount bigint not null check (discount >= 0),
    bonuses bigint not null check (bonuses >= 0),
    mismatch bigint not null default 0,
    -- limit_amounts are taken of limit_ids: while held and once committed. Rolling limits among
    -- them count uses after since.
    limit_ids text[] not null,
    limit_amounts bigint[] not null check (cardinality(limit_amounts) = cardinality(limit_ids)),
    since timestamptz,
    gifts bytea,
    expires_at timestamptz,
    changed_at timestamptz not null
);
create index redemptions_receipt on redemptions (receipt_id);
create index redemptions_expiring on redemptions (expires_at) where status = 'held';

-- Redemptions, or minor units of a limit on money. used + held never exceeds cap; free = cap - used
-- - held. Of a rolling limit used is what was ever used; what counts are its uses within the window.
create table limits (
    limit_id text primary key,
    cap bigint not null,
    held bigint not null default 0 check (held >= 0),
    used bigint not null default 0 check (used >= 0)
) with (fillfactor = 50);

-- A rolling limit's uses, added up by the end of their minute. Locked by the limit's row.
create table limit_uses (
    limit_id text not null,
    used_at timestamptz not null,
    amount bigint not null check (amount >= 0),
    primary key (limit_id, used_at)
) with (fillfactor = 50);
create index limit_uses_used_at on limit_uses (used_at);

-- The same by the UTC day that the minutes end in (a midnight ends the day before it): a window of many
-- days is added up from few rows.
create table limit_days (
    limit_id text not null,
    day timestamptz not null,
    amount bigint not null check (amount >= 0),
    primary key (limit_id, day)
) with (fillfactor = 50);
create index limit_days_day on limit_days (day);

-- Double entry: what a customer is given, the campaign owes; an entry's points add up to zero.
create table bonus_entries (
    entry_id text not null,
    account text not null,
    points bigint not null,
    redemption_id text not null,
    recorded_at timestamptz not null,
    primary key (entry_id, account)
);
create index bonus_entries_account on bonus_entries (account);

-- Every paid receipt while it may be returned: its lines as they were sold, and what is left of them
-- once some came back. Those with a customer are that customer's history: one range of the index; it
-- counts while something is left of it that promotions look at.
create table purchases (
    receipt_id text primary key,
    customer_id text,
    occurred_at timestamptz not null,
    lines bytea not null,
    remaining bytea,
    counts boolean not null
);
create index purchases_customer on purchases (customer_id, occurred_at)
    where customer_id is not null;
create index purchases_occurred on purchases (occurred_at);

-- What has come back of a line so far (thousandths), and the money for it (minor units).
create table returned_lines (
    receipt_id text not null references purchases on delete cascade,
    line int not null,
    quantity bigint not null check (quantity > 0),
    refund bigint not null check (refund >= 0),
    primary key (receipt_id, line)
);

-- How far the periods of an instrument are closed: all before this one and, if closed, this one; else
-- of its customers those up to last_customer.
create table closings (
    campaign_id text not null,
    instrument_id text not null,
    period_start timestamptz not null,
    period_end timestamptz not null,
    last_customer text not null,
    closed boolean not null,
    primary key (campaign_id, instrument_id)
);

-- What customers have been given at the end of a period, and what that has taken of limits.
create table period_rewards (
    campaign_id text not null,
    instrument_id text not null,
    period_start timestamptz not null,
    customer_id text not null,
    points bigint not null check (points > 0),
    limit_ids text[] not null,
    limit_amounts bigint[] not null,
    changed_at timestamptz not null,
    primary key (campaign_id, instrument_id, period_start, customer_id)
);

-- Purchases that came so late that a period they lie in may have been closed without them.
create table late_purchases (
    receipt_id text primary key,
    customer_id text not null,
    occurred_at timestamptz not null
);
