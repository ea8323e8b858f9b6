create table emissions (
    emission_id text primary key,
    -- What codes refer to: four bytes instead of an id, a million times over.
    number int generated always as identity unique,
    name text not null,
    kind text not null check (kind in ('mass', 'personal')),
    -- A mass emission's word, encrypted; no table holds a code in plain text.
    word bytea,
    count int not null check (count > 0),
    pattern text,
    single_use boolean not null,
    valid_from timestamptz,
    valid_until timestamptz,
    status text not null default 'draft' check (status in ('draft', 'posting', 'posted')),
    -- When it was posted: published with every chunk, so that a posting that goes on says the same.
    posting_since timestamptz check ((posting_since is null) = (status = 'draft')),
    posted_chunks int not null default 0,
    posted_codes int not null default 0,
    -- How many codes are bound to customers, and the digest of all their ids in order: whether a
    -- request is the same again is asked without reading 200,000 of them.
    bound int not null default 0,
    holders_sha256 bytea check ((holders_sha256 is null) = (bound = 0)),
    created_at timestamptz not null default now(),
    check (posted_codes <= count),
    check (bound <= count)
);
create index emissions_posting on emissions (number) where status = 'posting';

-- Keyed digests of all codes of live emissions: what makes a code unique.
create table codes (
    digest bytea primary key,
    -- No foreign key: it would be checked a million times, and no emission is ever deleted.
    emission int not null
);

-- The codes themselves, a thousand at a time, encrypted: for export only.
create table code_chunks (
    emission int not null references emissions (number),
    chunk int not null,
    ciphertext bytea not null,
    primary key (emission, chunk)
);
alter table code_chunks alter ciphertext set storage external; -- does not compress

-- Who the codes of a chunk are bound to, in the order of the codes; the rest are anybody's. Written
-- with the draft, so that a posting that goes on binds them to the same customers.
create table code_holders (
    emission int not null references emissions (number),
    chunk int not null,
    customers text[] not null,
    primary key (emission, chunk)
);

create table instruments (
    instrument_id text primary key,
    body jsonb not null
);

create table campaigns (
    campaign_id text primary key,
    body jsonb not null,
    status text not null default 'draft' check (status in ('draft', 'running', 'paused', 'finished')),
    -- Of what was published last; 0 = never started.
    version int not null default 0
);
create index campaigns_instruments on campaigns using gin ((body -> 'instruments'));

create table stores (
    store_id text primary key,
    body jsonb not null
);

create table customer_groups (
    group_id text primary key,
    name text not null
);
create table group_members (
    group_id text not null references customer_groups,
    customer_id text not null,
    primary key (customer_id, group_id)
);
create index group_members_group on group_members (group_id, customer_id);

-- Only of customers whose birthday is known: to forget it is to delete the row.
create table birthdays (
    customer_id text primary key,
    birthday text not null check (birthday ~ '^[0-9]{2}-[0-9]{2}$')
);

create table api_keys (
    key_id text primary key,
    name text not null,
    -- Of a secret of 256 random bits: nothing slower than SHA-256 is needed.
    secret_sha256 bytea not null,
    scopes text[] not null,
    bootstrap boolean not null default false,
    created_at timestamptz not null default now(),
    revoked_at timestamptz
);
