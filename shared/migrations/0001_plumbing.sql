-- Where each consumer stands: the offset moves in the transaction that holds its effects.
create table offsets (
    consumer text not null,
    topic text not null,
    partition int not null,
    next bigint not null,
    cluster_id text not null,
    -- Everything that the broker had received by then has been applied.
    read_until timestamptz,
    primary key (consumer, topic, partition)
) with (fillfactor = 50);

-- The highest number applied of each producer on each partition: a relay may send a row twice.
create table sequences (
    consumer text not null,
    topic text not null,
    partition int not null,
    producer uuid not null,
    number bigint not null,
    primary key (consumer, topic, partition, producer)
) with (fillfactor = 50);

-- What leaves the service: written by the transaction that caused it, numbered and sent by the relay.
-- A row holds many messages of one transaction, packed and compressed.
create table outbox (
    id bigint generated always as identity primary key,
    -- Of its first message, given by the relay; the others have the numbers that follow.
    number bigint unique,
    messages int not null check (messages > 0),
    -- Of the messages, before they were compressed.
    bytes int not null,
    packed bytea not null
) with (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 500);

-- They are compressed already.
alter table outbox alter packed set storage external;

create index outbox_unnumbered on outbox (id) where number is null;

create table outbox_producer (
    only_row boolean primary key default true check (only_row),
    producer uuid not null default gen_random_uuid(),
    last_number bigint not null default 0,
    -- Set by the first relay: another cluster must not get what readers of this one have skipped.
    cluster_id text
);
insert into outbox_producer default values;
