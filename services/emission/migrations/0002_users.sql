-- Who may sign in to the console. Their names are what they chose as logins; nobody else's are here.
create table users (
    login text primary key,
    name text not null,
    role text not null check (role in ('marketer', 'analyst', 'administrator')),
    -- argon2id; none until the invitation is accepted.
    password_hash text,
    created_at timestamptz not null,
    disabled_at timestamptz
);

-- Known by a digest of the cookie's 256 random bits: whoever reads this table cannot sign in by it.
create table sessions (
    session_sha256 bytea primary key,
    login text not null references users on delete cascade,
    created_at timestamptz not null,
    used_at timestamptz not null
);
create index sessions_login on sessions (login);

-- One-time addresses at which a user sets a password: the first, or a forgotten one.
create table invitations (
    secret_sha256 bytea primary key,
    login text not null references users on delete cascade,
    expires_at timestamptz not null
);

-- Failed attempts to sign in, by a digest of the login or of the address that they came from.
create table sign_in_failures (
    subject bytea primary key,
    failures int not null,
    last_at timestamptz not null,
    locked_until timestamptz
);

-- Everything that anybody changed, and what it was after it. No code, word, secret or list of customers.
create table changes (
    change_id bigint generated always as identity primary key,
    at timestamptz not null,
    actor text not null,
    action text not null,
    kind text not null,
    id text not null,
    body jsonb
);
create index changes_of on changes (kind, id, change_id);
create index changes_by on changes (actor, change_id);
-- What has happened stays as it was written.
revoke update, delete, truncate on changes from emission;
