-- Whose an event is, and whom else it was answered with: found when they are to be forgotten. '' is nobody's; null: it was
-- kept by an earlier version, which did not say, and is read for the id. Days first: what comes in goes to one end of the index.
alter table checkout_events
    add column customer_id text,
    add column told_customer_id text;
create index checkout_events_customer on checkout_events (((received_at at time zone 'UTC')::date), customer_id)
    where customer_id <> '';
create index checkout_events_told on checkout_events (told_customer_id) where told_customer_id is not null;
create index checkout_events_unsaid on checkout_events (received_at) where customer_id is null;

-- Limits per customer: the name in …/~customer.day=C17,2026-12-05@….
create index limits_customer on limits (substring(limit_id from '/~customer[a-z.]*=([^,@]+)'))
    where limit_id like '%/~customer%';
create index period_rewards_customer on period_rewards (customer_id);
create index bonus_payments_customer on bonus_payments (customer_id);

-- Customers to be forgotten. Once that is done, only that it was: no id.
create table erasures (
    erasure_id text primary key,
    customer_id text,
    asked_at timestamptz not null,
    done_at timestamptz,
    check ((customer_id is null) = (done_at is not null))
);
create index erasures_waiting on erasures (asked_at) where done_at is null;
