-- One row a customer: over how many categories the purchases spread, in all and in either half,
-- which one is the main category, and how large the customer is in it.
with
cells as (
    select
        lines.customer_id,
        products.category,
        sum(lines.revenue) as revenue,
        bool_or(lines.date < $turn) as before,
        bool_or(lines.date >= $turn) as after
    from transactions as lines
    inner join products using (product_id)
    where
        products.category is not null
        and lines.quantity > 0
        and lines.revenue >= 0
        and lines.date between $start and $end
    group by lines.customer_id, products.category
),

placed as (
    select
        *,
        sum(revenue) over (partition by customer_id) as total,
        sum(revenue) over (
            partition by customer_id
            order by revenue desc, category
            rows between unbounded preceding and current row
        ) - revenue as larger,
        row_number() over (partition by customer_id order by revenue desc, category) as place,
        row_number() over (partition by category order by revenue desc, customer_id) as rank,
        count(*) over (partition by category) as buyers
    from cells
)

select
    customer_id,
    count(*) as categories,
    count(*) filter (place = 1 or larger < 0.8 * total) as main_categories,
    count(*) filter (before) as categories_before,
    count(*) filter (after) as categories_after,
    max(category) filter (place = 1) as main_category,
    (max(revenue) filter (place = 1) / nullif(max(total), 0))::double as share_main_category,
    bool_or(place = 1 and rank <= ceil($large * buyers - 1e-9)) as large_in_main_category
from placed
group by customer_id
order by customer_id
