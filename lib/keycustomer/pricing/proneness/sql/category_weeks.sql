-- One row a customer, category and week between $start and $end in which it bought: the week's
-- number, and what the category sold at, beside its list value, to all customers in that week.
-- The $categories categories with the largest revenue are taken, and whole weeks.
with lines as (
    select
        customer_id, category, revenue, discount,
        date_trunc('week', date)::date as week
    from transactions
    inner join products using (product_id)
    where
        date between $start and $end
        and quantity > 0
        and revenue >= 0
        and discount is not null
        and category is not null
        and date_trunc('week', date)::date between $start and $end - 6
),
chosen as (
    select category
    from lines
    group by category
    order by sum(revenue) desc, category
    limit $categories
),
weeks as (
    select category, week, sum(revenue)::double / sum(revenue + discount)::double as price
    from lines
    inner join chosen using (category)
    group by all
    having sum(revenue) > 0
),
bought as (
    select distinct customer_id, category, week
    from lines
)
select customer_id, category, week, price
from bought
inner join weeks using (category, week)
order by customer_id, category, week
