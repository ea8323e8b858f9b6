-- What returns took back, in the minute that the goods came back in, at the place where they were
-- sold: the cells of the sales stay as they are. Tables of their own, because there is hardly ever a
-- sale of the same minute and place: in one, half of the columns would be zeros in every row.

create table return_cells (
    minute timestamptz not null,
    refunded bigint not null,
    place_id int not null,
    returns int not null,
    primary key (minute, place_id)
) with (fillfactor = 85);

-- returned: activations whose slots returns have released; returned_discount, returned_bonuses: what
-- was taken back of activations, whole or in part; returned_unauthorised_discount: of what was given
-- without right, which is no activation before nor after.
create table take_back_cells (
    minute timestamptz not null,
    returned_discount bigint not null,
    returned_bonuses bigint not null,
    returned_unauthorised_discount bigint not null,
    offer_id int not null,
    place_id int not null,
    returned int not null,
    primary key (minute, offer_id, place_id)
) with (fillfactor = 85);

create view return_minutes as
select c.minute, p.store_id, p.device, p.region, p.currency, c.returns, c.refunded
from return_cells c join places p using (place_id);

create view take_back_minutes as
select c.minute, o.campaign_id, o.instrument_id, p.store_id, p.device, p.region, p.currency,
    c.returned, c.returned_discount, c.returned_bonuses, c.returned_unauthorised_discount
from take_back_cells c join offers o using (offer_id) join places p using (place_id);
