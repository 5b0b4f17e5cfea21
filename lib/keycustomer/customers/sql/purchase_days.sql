-- One row a customer and day with a purchase: a line with units and without a negative amount.
select customer_id, date, sum(revenue)::double as revenue
from transactions
where date between $start and $end and quantity > 0 and revenue >= 0
group by customer_id, date
order by customer_id, date
