-- What subjects did lately, as services.customers.fraud.conduct packs it (empty: nothing yet). latest_at: their latest fact's.
-- latest_at has no index: it changes with every fact, and is asked for once a night.
create table conduct (
    kind text not null,
    subject text not null,
    latest_at timestamptz not null,
    state bytea not null,
    primary key (kind, subject)
) with (fillfactor = 70);

-- What was counted of a receipt's codes: revisions of its cart present the same codes again.
create table presented_codes (
    receipt_id text primary key,
    unknown int not null,
    "foreign" boolean not null,
    seen_at timestamptz not null
);
create index presented_codes_seen on presented_codes using brin (seen_at);

-- Alerts: services.customers.fraud.alerting.State. sample is what the score learns from.
create table alerts (
    alert_id text primary key,
    rule text not null,
    kind text not null,
    subject text not null,
    status text not null check (status in ('open', 'confirmed', 'dismissed')),
    severity text not null check (severity in ('low', 'medium', 'high')),
    score int,
    times bigint not null,
    excess bigint not null,
    evidence text not null,
    sample bytea not null,
    first_seen_at timestamptz not null,
    last_seen_at timestamptz not null,
    changed_at timestamptz not null,
    blocked boolean not null,
    quiet_until timestamptz,
    told_at timestamptz,
    untold boolean not null
) with (fillfactor = 80);
create unique index alerts_open on alerts (rule, kind, subject) where status = 'open';
create index alerts_subject on alerts (kind, subject, rule, first_seen_at desc);
create index alerts_first_seen on alerts (first_seen_at desc, alert_id desc);
create index alerts_untold on alerts (alert_id) where untold;

-- What became of an alert: raised, confirmed, dismissed, blocked, unblocked; who did it (none: a rule).
create table alert_changes (
    alert_id text not null references alerts on delete cascade,
    number int not null,
    action text not null check (action in ('raised', 'confirmed', 'dismissed', 'blocked', 'unblocked')),
    changed_at timestamptz not null,
    changed_by text,
    note text,
    primary key (alert_id, number)
);

-- What people said of alerts: it is learnt from when the alert itself is gone, too. It names nobody.
create table labels (
    alert_id text primary key,
    abuse boolean not null,
    sample bytea not null,
    said_at timestamptz not null
);
create index labels_said on labels (said_at desc);

-- Half-way to a rule, and no alert: what the score is to tell abuse from. The latest of each subject and rule.
create table suspects (
    rule text not null,
    kind text not null,
    subject text not null,
    sample bytea not null,
    seen_at timestamptz not null,
    primary key (rule, kind, subject)
);

-- Rules that somebody has changed (services.customers.fraud.rules.Rule as JSON); of the others the defaults hold.
create table fraud_rules (
    rule text primary key,
    version int not null,
    definition text not null,
    changed_at timestamptz not null,
    changed_by text not null
);

-- From whom promotions are withheld, until when (null: until it is lifted), and whose doing it is (none: a rule's).
create table blocks (
    kind text not null check (kind in ('customer', 'device', 'cashier')),
    subject text not null,
    alert_id text,
    until timestamptz,
    blocked_at timestamptz not null,
    blocked_by text,
    primary key (kind, subject)
);
