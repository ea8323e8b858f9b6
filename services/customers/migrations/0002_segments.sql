-- Segments: definition is services.customers.segments.definition.Definition as JSON. members: how many are in it now.
-- pass_id: the pass through all customers that began with its latest change.
create table segments (
    segment_id text primary key,
    name text not null,
    builtin boolean not null,
    definition text not null,
    version integer not null,
    archived boolean not null default false,
    members bigint not null default 0,
    pass_id bigint,
    changed_at timestamptz not null,
    changed_by text not null
);

create table segment_changes (
    segment_id text not null,
    version integer not null,
    action text not null,
    name text not null,
    definition text not null,
    changed_at timestamptz not null,
    changed_by text not null,
    primary key (segment_id, version)
);

-- One row: its number rises with every change of what customers are evaluated by.
create table segments_revision (
    one boolean primary key default true check (one),
    revision bigint not null
);
insert into segments_revision (revision) values (1);

-- Who is in which segment, or was: a row stays when a customer leaves, so that the next change is a later one, and
-- that an erasure knows every key on the topic.
create table memberships (
    customer_id text not null,
    segment_id text not null,
    member boolean not null,
    changed_at timestamptz not null,
    primary key (customer_id, segment_id)
) with (fillfactor = 80);
create index memberships_members on memberships (segment_id, customer_id) where member;

-- How many entered and left on each day (UTC).
create table segment_days (
    segment_id text not null,
    day date not null,
    entered bigint not null default 0,
    gone bigint not null default 0,
    primary key (segment_id, day)
);

-- Fifths (1–5, 5 is best) of every customer who bought something within the year.
create table rfm_scores (
    customer_id text primary key,
    recency smallint not null,
    frequency smallint not null,
    monetary smallint not null
) with (fillfactor = 80);

-- Where the fifths end: the latest counts.
create table rfm_fifths (
    made_at timestamptz primary key,
    customers bigint not null,
    days bigint[] not null,
    purchases bigint[] not null,
    paid text not null
);

-- Passes through all customers: "cursor" is the last one who was called, put_at when.
create table passes (
    pass_id bigint generated always as identity primary key,
    reason text not null,
    created_at timestamptz not null,
    started_at timestamptz,
    cursor text not null default '',
    done bigint not null default 0,
    total bigint not null default 0,
    put_at timestamptz,
    finished_at timestamptz
);
create index passes_open on passes (pass_id) where finished_at is null;
