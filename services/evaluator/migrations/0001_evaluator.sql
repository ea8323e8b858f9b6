-- Reference data, from emission's topics.
create table stores (
    store_id text primary key,
    region text not null,
    currency text not null
);

create table customer_groups (
    customer_id text primary key,
    groups text[] not null
);

-- Keyed digests only: a stolen database does not give the codes away.
create table codes (
    digest bytea primary key,
    emission_id text not null
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

-- version: the offset on promo.campaigns.v1 of the campaign's latest state.
create table campaigns (
    campaign_id text primary key,
    version bigint not null,
    definition bytea not null
);
create index campaigns_version on campaigns (version);

-- version: of the rules; codes_version: how often codes have arrived.
create table ruleset (
    only_row boolean primary key default true check (only_row),
    version bigint not null default -1,
    codes_version bigint not null default 0
);
insert into ruleset default values;

-- Each event of a till once: the same id with the same body has one effect and one answer.
create table checkout_events (
    event_key bytea primary key,
    body_digest bytea not null,
    receipt_id text not null,
    decision bytea,
    received_at timestamptz not null
);

create table receipts (
    receipt_id text primary key,
    store_id text not null,
    terminal_id text not null,
    revision int not null,
    body_digest bytea,
    status text not null check (status in ('open', 'cancelled', 'paid')),
    decision bytea,
    updated_at timestamptz not null
);

create table redemptions (
    redemption_id text primary key,
    receipt_id text not null references receipts,
    campaign_id text not null,
    instrument_id text not null,
    status text not null
        check (status in ('held', 'committed', 'released', 'expired', 'unauthorised')),
    discount bigint not null check (discount >= 0),
    bonuses bigint not null check (bonuses >= 0),
    mismatch bigint not null default 0,
    -- Whether the slots of limit_ids are taken: while held and once committed.
    limit_ids text[] not null,
    gifts bytea,
    expires_at timestamptz,
    changed_at timestamptz not null
);
create index redemptions_receipt on redemptions (receipt_id);
create index redemptions_expiring on redemptions (expires_at) where status = 'held';

-- used + held never exceeds cap; free = cap - used - held.
create table limits (
    limit_id text primary key,
    cap bigint not null,
    held bigint not null default 0 check (held >= 0),
    used bigint not null default 0 check (used >= 0)
) with (fillfactor = 50);

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
