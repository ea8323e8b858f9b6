-- Chunks of live emissions are said again before Kafka forgets them; which names a customer that was erased is forgotten then.
alter table emissions
    add renewed_at timestamptz,
    -- How far a renewal under way has come; 0: none is.
    add renewed_chunks int not null default 0;
create index emissions_renewed on emissions (coalesce(renewed_at, posting_since)) where status = 'posted';
