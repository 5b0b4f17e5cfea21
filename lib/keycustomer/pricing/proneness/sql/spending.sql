-- What each customer bought between $start and $end: revenue, lines and the share of them on deal
-- (a discount above $deeper_than of the list value).
select
    customer_id,
    sum(revenue)::double as revenue,
    count(*)::double as lines,
    avg((discount > $deeper_than::double * (revenue + discount)::double)::int)::double as deal_share
from transactions
where date between $start and $end and quantity > 0 and revenue >= 0 and discount is not null
group by customer_id
order by customer_id
