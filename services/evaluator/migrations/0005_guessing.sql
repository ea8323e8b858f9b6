-- What is held against callers who present codes that cannot be used: prints of the different ones
-- since the window began, 8 bytes each, one after another; lock-outs in a row, and until when the last is.
create table guesses (
    realm text not null check (realm in ('till', 'web', 'anonymous')),
    who text not null check (who in ('store', 'terminal', 'customer', 'address')),
    -- store, store:terminal, customer, or the day's keyed hash of an address.
    name text not null,
    failed bytea not null default '',
    since timestamptz,
    lockouts int not null default 0 check (lockouts >= 0),
    locked_until timestamptz,
    -- When nothing of it matters any more.
    forgotten_from timestamptz,
    primary key (realm, who, name)
) with (fillfactor = 50);
create index guesses_forgotten on guesses (forgotten_from);
