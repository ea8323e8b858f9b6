-- The two arms of each comparison, added up as their customers pay: to read all customers of all campaigns
-- for each question took a second. squares: of what each customer paid, for the interval of the uplift.
create table arms (
    squares numeric not null,
    revenue bigint not null,
    receipts bigint not null,
    customers int not null,
    comparison_id int not null,
    held_back boolean not null,
    primary key (comparison_id, held_back)
) with (fillfactor = 50);

insert into arms (comparison_id, held_back, customers, receipts, revenue, squares)
select comparison_id, held_back, count(*), sum(receipts), sum(revenue), sum(revenue::numeric * revenue)
from participants group by 1, 2;
