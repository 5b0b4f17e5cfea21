-- One row a customer: sums over its baskets from which the spread between baskets follows.
with baskets as (
    select
        customer_id, date, order_id,
        count(*) as lines,
        sum(deal) - sum(expected) as excess,
        sum(expected * (1 - expected)) as variance
    from ({deal_lines})
    group by all
)
select
    customer_id,
    count(*) as orders,
    sum(lines)::double as lines,
    sum(variance) as variance,
    sum(excess) as excess,
    sum(excess * excess) as excess_squared,
    sum(lines * excess) as lines_excess,
    sum(lines * lines)::double as lines_squared
from baskets
group by customer_id
order by customer_id
