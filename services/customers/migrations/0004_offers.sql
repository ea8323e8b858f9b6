-- Policies of offers. definition: services.customers.offers.policy.Policy as JSON; version rises with each change of it.
create table policies (
    policy_id text primary key,
    version int not null,
    status text not null check (status in ('draft', 'running', 'paused')),
    definition bytea not null,
    created_at timestamptz not null,
    changed_at timestamptz not null,
    changed_by text not null
);

-- What was done to each, by whom: who looks for it later finds the definition of that time.
create table policy_changes (
    policy_id text not null references policies,
    number int not null,
    action text not null check (action in ('created', 'edited', 'started', 'paused')),
    version int not null,
    definition bytea not null,
    changed_at timestamptz not null,
    changed_by text not null,
    primary key (policy_id, number)
);

-- How many offers of a step stand how, and what they cost: kept with every change of an offer, so that neither budgets
-- nor lists count rows. codes: asked for; offered: ever sent; likely: what open ones may give; given: what used ones gave.
create table policy_steps (
    policy_id text not null references policies,
    step int not null,
    codes bigint not null,
    offered bigint not null,
    used bigint not null,
    expired bigint not null,
    refused bigint not null,
    held_back bigint not null,
    likely bigint not null,
    given bigint not null,
    primary key (policy_id, step)
) with (fillfactor = 50);

-- Offers: services.customers.offers.life.Record. code: until a week after its end.
create table offers (
    offer_id text primary key,
    series_id text not null,
    policy_id text not null references policies,
    version int not null,
    customer_id text not null,
    reason text not null,
    step int not null,
    emission_id text not null,
    discount bigint not null,
    cost bigint not null,
    currency text not null,
    zone text not null,
    status text not null,
    send_at timestamptz not null,
    valid_until timestamptz not null,
    due_at timestamptz,
    changed_at timestamptz not null,
    open boolean not null,
    measured boolean not null,
    raised_from timestamptz,
    code text,
    receipt_id text,
    given bigint not null,
    why text
) with (fillfactor = 70);
-- Never two at once for one reason, whatever anybody has decided.
create unique index offers_open on offers (customer_id, reason) where open;
create index offers_customer on offers (customer_id, send_at desc);
create index offers_policy on offers (policy_id, send_at desc, offer_id desc);
create index offers_due on offers (due_at) where due_at is not null;
create index offers_codes on offers (valid_until) where code is not null;
create index offers_old on offers using brin (changed_at);

-- What customers bought in the days that a policy's steps have, or would have had (step 0: in all of them). One row for
-- each customer and step, of the first series: outcomes compare the arms by it. used: an offer's code was.
create table offer_windows (
    policy_id text not null references policies,
    customer_id text not null,
    step int not null,
    held_back boolean not null,
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    currency text not null,
    purchases int not null default 0,
    paid bigint not null default 0,
    used boolean not null default false,
    primary key (policy_id, step, customer_id)
) with (fillfactor = 70);
create index offer_windows_customer on offer_windows (customer_id, ends_at);

-- Returns that released a code of an offer before the receipt was here that used it.
create table early_releases (
    receipt_id text not null,
    emission_id text not null,
    customer_id text not null,
    released_at timestamptz not null,
    primary key (receipt_id, emission_id)
);

-- Customers for whom something may have changed, to be considered by the running policies.
create table offer_candidates (
    customer_id text primary key,
    due_at timestamptz not null
);
create index offer_candidates_due on offer_candidates (due_at);

-- Everybody is considered once a day: how far that has come. bought: whoever has bought something comes first.
-- after: the last customer of those done.
create table offer_scan (
    only_row boolean primary key default true check (only_row),
    day date not null,
    bought boolean not null default true,
    after text not null,
    done boolean not null
);
insert into offer_scan (day, after, done) values ('1970-01-01', '', true);

-- At most so many offers to a customer within so many days, of all policies.
create table offer_cap (
    only_row boolean primary key default true check (only_row),
    offers int not null,
    days int not null,
    changed_at timestamptz,
    changed_by text
);
insert into offer_cap (offers, days) values (2, 7);

-- Sales by the stores' days: what rules about their volume look at.
create table sales_days (
    day date not null,
    kind text not null check (kind in ('chain', 'region', 'store', 'group')),
    id text not null,
    currency text not null,
    purchases bigint not null,
    paid bigint not null,
    primary key (kind, id, day, currency)
) with (fillfactor = 50);
create index sales_days_day on sales_days using brin (day);

-- What running campaigns give for codes: services.customers.offers.backing.Backing, by campaign. position: the offset of
-- the campaign's state on its topic.
create table backings (
    campaign_id text not null,
    emission_id text not null,
    number int not null,
    body bytea not null,
    primary key (campaign_id, emission_id, number)
);
create index backings_emission on backings (emission_id);
