-- Customers with an interaction of $kind between $start and $end.
select customer_id, count(*) as contacts
from interactions
where kind = $kind and date between $start and $end
group by customer_id
order by customer_id
