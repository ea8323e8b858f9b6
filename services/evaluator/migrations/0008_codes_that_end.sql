-- Personal codes are issued one by one, each with an end of its own; null: it is valid as long as its emission.
alter table codes add column valid_until timestamptz;

-- needed: how many codes campaigns wait for; changed: the version of the codes (ruleset) at which such codes came last.
-- A campaign may be known before any code of its emission: then nothing is known of when that was posted.
alter table emissions
    alter column posted_at drop not null,
    add column needed bigint not null default 0,
    add column changed bigint not null default 0;
create index emissions_changed on emissions (changed);
insert into emissions (emission_id, codes_held, needed)
    select one ->> 'emission_id', 0, max((one ->> 'posted_codes')::bigint)
    from campaigns, jsonb_array_elements(convert_from(definition, 'UTF8')::jsonb -> 'emissions') as one
    group by 1
    on conflict (emission_id) do update set needed = excluded.needed;
