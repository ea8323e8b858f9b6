-- Trainings of the models of the next purchase: asked for, and what became of them. One runs at a time, under an
-- advisory lock. scores: how good each model was at times of the past, as services.customers.forecast.backtest has them.
create table forecast_runs (
    run_id text primary key,
    status text not null default 'asked' check (status in ('asked', 'running', 'done', 'failed')),
    reason text not null,
    asked_at timestamptz not null,
    started_at timestamptz,
    finished_at timestamptz,
    stage text not null default 'waiting',
    done integer not null default 0,
    model text,
    basis text,
    customers integer not null default 0,
    learnt_from integer not null default 0,
    history_days integer not null default 0,
    foretold integer not null default 0,
    changed integer not null default 0,
    scores jsonb not null default '[]'
);
create index forecast_runs_asked on forecast_runs (asked_at desc, run_id);
-- At most one waits.
create unique index forecast_runs_waiting on forecast_runs (status) where status = 'asked';
create index forecast_runs_open on forecast_runs (status) where status in ('asked', 'running');

-- What is foretold of customers, rounded. told_at: when it last became another, or was told again.
create table forecasts (
    customer_id text primary key,
    made_at timestamptz not null,
    told_at timestamptz not null,
    model text not null,
    days integer not null,
    probability integer not null,
    expected_purchases bigint not null,
    expected_on date
) with (fillfactor = 70);
create index forecasts_expected on forecasts (expected_on, customer_id) where expected_on is not null;
