-- Stores as emission publishes them: their regions and time zones.
create table stores (
    store_id text primary key,
    name text not null,
    region text not null,
    time_zone text not null,
    currency text not null,
    latitude_e6 int,
    longitude_e6 int
);
