-- Rows of two kinds from one pass over the lines. With a class: one row a customer, half of its
-- baskets and class of expectation, in $classes classes. Without: one row a customer, sums over its
-- baskets from which the spread between baskets follows.
with deal_lines as materialized (
    {deal_lines}
),
cells as (
    select
        customer_id,
        half::int as half,
        least(floor(expected * $classes), $classes - 1)::int as class,
        count(*)::double as lines,
        sum(deal)::double as deals,
        avg(expected) as expected
    from deal_lines
    group by all
),
baskets as (
    select
        customer_id, date, order_id,
        count(*)::double as lines,
        sum(deal) - sum(expected) as excess,
        sum(expected * (1 - expected)) as variance
    from deal_lines
    group by all
),
buyers as (
    select
        customer_id,
        count(*) as orders,
        sum(lines) as lines,
        sum(variance) as variance,
        sum(excess) as excess,
        sum(excess * excess) as excess_squared,
        sum(lines * excess) as lines_excess,
        sum(lines * lines) as lines_squared
    from baskets
    group by customer_id
)
select * from cells
union all by name
select * from buyers
order by customer_id, half, class
