-- One row a customer and day with a purchase.
select customer_id, date, sum(revenue)::double as revenue
from ({purchase_lines})
group by customer_id, date
order by customer_id, date
