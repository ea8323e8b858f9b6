-- Customers who were erased, for good. subject: a keyed hash of the id, which itself is kept nowhere: by it facts
-- from before are known that come later, and a person can be told that it was done.
create table erasures (
    erasure_id text primary key,
    subject bytea not null,
    requested_at timestamptz not null,
    requested_by text not null
);
create index erasures_subject on erasures (subject, requested_at desc);
create index erasures_requested on erasures (requested_at desc, erasure_id desc);

-- What each service has erased (body: customers.erased.v1's event, which does not have the customer's id).
create table erasure_reports (
    erasure_id text not null references erasures on delete cascade,
    service text not null,
    erased_at timestamptz not null,
    body bytea not null,
    primary key (erasure_id, service)
);

-- Who is told over HTTP, of which topics. Secrets are derived from the service's key and their number.
-- since: from where a partition is read that has no position yet.
create table webhooks (
    webhook_id text primary key,
    name text not null,
    url text not null,
    topics text[] not null check (cardinality(topics) > 0),
    since timestamptz not null,
    secret_number int not null default 1,
    former_secret_until timestamptz,
    created_at timestamptz not null,
    created_by text not null,
    changed_at timestamptz not null,
    -- A webhook that is paused is not told anything, until somebody resumes it.
    paused_at timestamptz,
    paused_because text check (paused_because in ('asked', 'gone')),
    check ((paused_at is null) = (paused_because is null)),
    -- Attempts that failed since one succeeded. The next is due at due_at.
    failures int not null default 0,
    failing_since timestamptz,
    last_error text,
    due_at timestamptz,
    -- Over all time. lost: events that the topics did not keep until they were delivered.
    deliveries bigint not null default 0,
    events bigint not null default 0,
    failed_attempts bigint not null default 0,
    lost bigint not null default 0,
    delivered_at timestamptz,
    -- Events not yet delivered, when last looked.
    behind bigint not null default 0
) with (fillfactor = 50);

-- The offset to deliver next. It moves once the receiver has taken what is before it.
create table webhook_positions (
    webhook_id text not null references webhooks on delete cascade,
    topic text not null,
    partition int not null,
    next bigint not null,
    primary key (webhook_id, topic, partition)
) with (fillfactor = 50);

-- The latest attempts of each webhook; never what was sent.
create table webhook_attempts (
    attempt_id bigint generated always as identity primary key,
    webhook_id text not null references webhooks on delete cascade,
    delivery_id text not null,
    attempted_at timestamptz not null,
    events int not null,
    taken boolean not null,
    status int,
    error text,
    milliseconds int not null
);
create index webhook_attempts_latest on webhook_attempts (webhook_id, attempt_id desc);

-- Customers by the beginning of their id, and page by page, whatever the database's collation is.
create index profiles_in_order on profiles (customer_id collate "C");
