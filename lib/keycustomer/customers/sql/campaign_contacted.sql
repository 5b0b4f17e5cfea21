-- Customers in contact within a number of days before a day, that day included.
select distinct customer_id
from interactions
where date > $until::date - $days::integer and date <= $until
