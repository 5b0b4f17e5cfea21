-- One row a customer and category (or product): when first bought, in how many orders, for how much.
with lines as (
    select
        lines.customer_id, lines.date, lines.order_id, lines.revenue,
        lines.quantity > 0 and lines.revenue >= 0 as purchase,
        case when $by_product then lines.product_id else products.category end as category
    from transactions as lines
    left join products using (product_id)
),
orders as (
    select
        customer_id, category, date, order_id,
        bool_or(purchase) as purchase,
        sum(revenue) as revenue
    from lines
    where category is not null
    group by all
)
select
    customer_id, category,
    min(date) filter (purchase) as first_date,
    count(*) filter (purchase) as orders,
    sum(revenue)::double as revenue
from orders
group by all
having count(*) filter (purchase) > 0
order by customer_id, category
