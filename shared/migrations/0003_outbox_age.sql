-- How long the oldest message has been waiting is what operators ask first of an outbox.
alter table outbox add column put_at timestamptz not null default now();
