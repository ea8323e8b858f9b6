-- What stores have leased of a limit and not used yet: neither free nor used.
alter table limits add column leased bigint not null default 0 check (leased >= 0);

-- leased of a limit is the sum of amount − used over its active leases. That a lease is past its end changes
-- nothing: sales made before it may still be on their way. ended_at: when its store had sent all of them.
create table leases (
    lease_id text primary key,
    store_id text not null,
    limit_id text not null references limits,
    campaign_id text not null,
    instrument_id text not null,
    condition text,
    amount bigint not null check (amount > 0),
    used bigint not null default 0 check (used between 0 and amount),
    status text not null default 'active' check (status in ('active', 'returned', 'reconciled')),
    granted_at timestamptz not null,
    expires_at timestamptz not null check (expires_at > granted_at),
    ended_at timestamptz,
    check ((ended_at is not null) = (status <> 'active'))
) with (fillfactor = 50);
create index leases_store on leases (store_id, expires_at, lease_id);
create index leases_expiring on leases (expires_at, lease_id);
create index leases_open on leases (expires_at) where status = 'active';
create index leases_ended on leases (ended_at) where status <> 'active';
