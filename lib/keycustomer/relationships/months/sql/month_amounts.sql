-- One row a customer and month between $start and $end with order lines: amounts in the currency.
-- Cost of a line without one: (1 - $margin) of its list value, unknown where no margin is assumed.
with lines as (
    select
        customer_id,
        date_trunc('month', date)::date as month,
        product_id,
        channel,
        revenue::double as revenue,
        revenue::double + discount::double as list_value,
        coalesce(
            cost::double,
            (1 - $margin::double) * (revenue::double + coalesce(discount::double, 0))
        ) as cost
    from transactions
    where date between $start and $end
),
by_channel as (
    select customer_id, month, channel, sum(revenue) as revenue
    from lines
    where channel is not null
    group by all
),
channels as (
    select customer_id, month, max(row(revenue, channel))[2] as channel
    from by_channel
    group by all
),
amounts as (
    select
        customer_id,
        month,
        sum(revenue) as revenue,
        case when count(*) = count(cost) then sum(revenue - cost) end as margin,
        case when count(list_value) > 0 then sum(coalesce(list_value, revenue)) end as list_revenue,
        count(distinct product_id) as products,
        count(distinct category) as categories
    from lines
    left join products using (product_id)
    group by all
)
select *
from amounts
left join channels using (customer_id, month)
