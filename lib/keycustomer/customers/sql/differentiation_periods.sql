-- One row a customer: what was bought in the former period and in the latter, both inclusive.
-- Ordering means buying, as in customer_table: a line with units and without a negative amount.
select
    customer_id,
    coalesce(sum(revenue) filter (date < $turn), 0)::double as former,
    coalesce(sum(revenue) filter (date >= $turn), 0)::double as latter,
    coalesce(bool_or(date < $turn and quantity > 0 and revenue >= 0), false) as ordered_before,
    coalesce(bool_or(date >= $turn and quantity > 0 and revenue >= 0), false) as still_orders,
    max(date) filter (quantity > 0 and revenue >= 0) as last_order
from transactions
where date between $start and $end
group by customer_id
order by customer_id
