-- Customers that were erased, each known by a keyed digest of the id, with what was reported: requests that were on
-- their way then are refused, and the same erasure is reported again. Kept for 30 days.
create table erasures (
    erasure_id text primary key,
    customer bytea not null,
    requested_at timestamptz not null,
    report bytea not null,
    erased_at timestamptz not null
);
create index erasures_customer on erasures (customer);
create index erasures_erased on erasures (erased_at);

-- A chunk is said again once one of its customers was erased.
create index requested_codes_chunk on requested_codes (emission, chunk);
