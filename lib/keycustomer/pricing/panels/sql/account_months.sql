-- One row a customer and month between $start and $end with a sale that was paid for; of what all
-- customers together buy.  `basis` is a product's list price on average over the window.
with lines as (
    select
        customer_id,
        product_id,
        date_trunc('month', date)::date as period,
        quantity::double as quantity,
        revenue::double as revenue,
        coalesce(discount, 0)::double as discount,
        cost::double as cost
    from transactions
    where date between $start and $end and quantity > 0 and revenue > 0
),
bases as (
    select product_id, sum(revenue + discount) / sum(quantity) as basis
    from lines
    group by product_id
),
people as (
    select customer_id, {person}
    from customers
    group by customer_id
),
markets as (
    {markets}
)
select
    'all products' as product,
    lines.customer_id as unit,
    lines.period::timestamp as period,
    sum(quantity * basis) as quantity,
    sum(revenue) / sum(quantity * basis) as price,
    sum(revenue) as revenue,
    sum(revenue + discount) / sum(quantity * basis) as list_price,
    sum(discount) / sum(revenue + discount) as discount,
    case when count(cost) = count(*) then sum(cost) end / sum(quantity * basis) as unit_cost,
    sum(quantity * competitor_price) filter (competitor_price is not null)
    / sum(quantity * basis) filter (competitor_price is not null) as competitor_price,
    avg(cost_shock) as cost_shock,
    any_value(region) as region,
    any_value(manager) as manager
from lines
inner join bases using (product_id)
left join people using (customer_id)
left join markets using (product_id, region, period)
group by lines.customer_id, lines.period
order by unit, period
