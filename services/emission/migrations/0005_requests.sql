-- Personal codes that are made one by one, when they are asked for: an emission may have no others.
alter table emissions drop constraint emissions_count_check;
alter table emissions
    add constraint emissions_count_check check (count > 0 or count = 0 and kind = 'personal'),
    add requested_codes int not null default 0,
    -- Their chunks follow those that were posted.
    add requested_chunks int not null default 0,
    -- The last day (UTC) of which the history says that codes were made on request.
    add requested_on date;

-- The codes themselves, numbered from 1 in the order in which they were made, each encrypted: for export only.
create table requested_codes (
    emission int not null references emissions (number),
    number int not null,
    chunk int not null,
    ciphertext bytea not null,
    customer_id text not null,
    valid_until timestamptz not null,
    primary key (emission, number)
);
alter table requested_codes alter ciphertext set storage external; -- does not compress
create index requested_codes_customer on requested_codes (customer_id);

-- What was answered, encrypted as it holds a code: the same request gets the same answer. Kept for 30 days.
create table code_requests (
    request_id text primary key,
    customer_id text not null,
    -- Of the whole request: another one with its id is refused.
    request_sha256 bytea not null,
    answer bytea not null,
    answered_at timestamptz not null
);
alter table code_requests alter answer set storage external;
create index code_requests_customer on code_requests (customer_id);
create index code_requests_answered on code_requests (answered_at);
