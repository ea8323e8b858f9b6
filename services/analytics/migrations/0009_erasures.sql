-- Customers to be forgotten, by the hash that statistics know them by, until that is done. ready_at: when the evaluator
-- had done so, and what it had said of them before was on its topics.
create table erasures (
    erasure_id text primary key,
    customer bigint,
    ready_at timestamptz,
    done_at timestamptz
);
create index erasures_waiting on erasures (ready_at) where customer is not null and done_at is null;
