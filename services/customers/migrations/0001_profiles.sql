-- Receipts while they may be returned: what a return takes back of a profile, and what is bought together.
create table receipts (
    receipt_id text primary key,
    customer_id text,
    occurred_at timestamptz not null,
    body bytea not null
);
create index receipts_customer on receipts (customer_id) where customer_id is not null;
create index receipts_occurred on receipts using brin (occurred_at);

-- Returns that came before their receipt: they are counted with it.
create table early_returns (
    return_id text primary key,
    receipt_id text not null,
    customer_id text not null,
    occurred_at timestamptz not null,
    body bytea not null
);
create index early_returns_receipt on early_returns (receipt_id);
create index early_returns_customer on early_returns (customer_id);

-- state: as services.customers.profile packs it. version rises with every change. bought: there are purchases that did
-- not come back; of others, such as the many who were only given a code, nothing is learnt.
create table profiles (
    customer_id text primary key,
    version bigint not null,
    state bytea not null,
    bought boolean not null default true
) with (fillfactor = 70);
create index profiles_bought on profiles (customer_id) where bought;

-- Customers to be looked at, and when: as soon as they did something, or when time alone changes something.
-- changed: the profile is to be published, whatever else is found. asked: how often it was put here since: what was
-- asked for while a customer was being looked at is not taken off with what was asked for before. urgent: they did
-- something, or their time has come; who is only one of many that something concerns is looked at after them.
create table attention (
    customer_id text primary key,
    due_at timestamptz not null,
    changed boolean not null,
    asked int not null default 1,
    urgent boolean not null
) with (fillfactor = 70);
create index attention_due on attention (urgent, due_at);
