-- At most so much of a receipt (basis points) may be paid with bonus points.
alter table stores add column bonus_share int not null default 5000
    check (bonus_share between 0 and 10000);

-- What is paid with, and what expires, is of no redemption.
alter table bonus_entries alter column redemption_id drop not null;

-- The row is the lock of the customer's lots and payments. debt: what was taken back and was not there.
create table bonus_accounts (
    customer_id text primary key,
    debt bigint not null default 0 check (debt >= 0)
) with (fillfactor = 50);

-- points: what remains; held of these wait for receipts. returnable: what returns may still take back.
-- An account's entries add up to what remains of its lots less its debt.
create table bonus_lots (
    lot_id text primary key,
    customer_id text not null,
    campaign_id text not null,
    points bigint not null check (points >= 0),
    held bigint not null default 0 check (held between 0 and points),
    returnable bigint not null check (returnable >= 0),
    active_at timestamptz not null,
    expires_at timestamptz
);
-- Lots that are used up are never read again, but by name: what their sale had earned comes back.
create index bonus_lots_customer on bonus_lots (customer_id) where points > 0;
create index bonus_lots_expiring on bonus_lots (expires_at) where points > held;

-- part_…: how many points of which lot, and how long those had to live when they were taken.
create table bonus_payments (
    receipt_id text primary key,
    customer_id text not null,
    store_id text not null,
    status text not null check (status in ('held', 'spent', 'returned', 'released', 'expired')),
    part_lots text[] not null,
    part_campaigns text[] not null,
    part_points bigint[] not null,
    part_left interval[] not null,
    refunded bigint not null check (refunded >= 0),
    expires_at timestamptz,
    check ((expires_at is not null) = (status = 'held'))
);
create index bonus_payments_expiring on bonus_payments (expires_at) where status = 'held';

-- What was given before is active, for ever.
insert into bonus_accounts (customer_id)
    select distinct substr(account, 10) from bonus_entries where account like 'customer/%';
insert into bonus_lots (lot_id, customer_id, campaign_id, points, returnable, active_at)
    select given.entry_id, substr(given.account, 10), substr(owed.account, 10),
        given.points, given.points, given.recorded_at
    from bonus_entries given join bonus_entries owed using (entry_id)
    where given.account like 'customer/%' and owed.account like 'campaign/%' and given.points > 0;
