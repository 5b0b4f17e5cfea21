-- Lines of a purchase between $start and $end: with units and without a negative amount.
select customer_id, date, revenue
from transactions
where date between $start and $end and quantity > 0 and revenue >= 0
