-- The relay is woken by whoever adds to the outbox: no statement more for them.
create function wake_relay() returns trigger language plpgsql as $$
begin
    perform pg_notify('outbox', '');
    return null;
end
$$;

create trigger outbox_wakes_its_relay after insert on outbox
for each statement execute function wake_relay();
