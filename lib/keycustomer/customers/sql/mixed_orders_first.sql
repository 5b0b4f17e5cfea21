-- How many mixed orders, and the first.
select count(*) over (), order_id, customers, days, first_row
from work.mixed_orders
order by first_row
limit {limit}
