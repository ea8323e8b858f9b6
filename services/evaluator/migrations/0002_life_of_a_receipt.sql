-- Redemptions may come back; what a redemption was and what came back of it is kept with it.
-- gifts is what the first version kept of details. keeps_slot: a returned one still counts as used.
alter table redemptions drop constraint redemptions_status_check;
alter table redemptions
    add constraint redemptions_status_check check (status in
        ('held', 'committed', 'released', 'expired', 'unauthorised', 'returned')),
    add column keeps_slot boolean not null default false,
    add column returned bigint not null default 0 check (returned between 0 and discount),
    add column bonuses_returned bigint not null default 0
        check (bonuses_returned between 0 and bonuses),
    add column details bytea,
    add column history bytea;

-- What a sale or a return was answered with: the same request again gets it again.
alter table checkout_events add column answer bytea;
alter table checkout_events alter column answer set storage external;

-- Answers to HTTP requests that named an Idempotency-Key, while they may come again.
create table idempotency_keys (
    key bytea primary key,
    request_digest bytea not null,
    status int not null,
    body bytea not null,
    created_at timestamptz not null
);
create index idempotency_keys_created on idempotency_keys using brin (created_at);
