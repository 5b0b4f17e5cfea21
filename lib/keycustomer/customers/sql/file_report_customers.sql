-- One row a customer known from anywhere: on file, buying, in contact; when last seen; which
-- fields of the own file hold a value. Days after $as_of are not counted.
with
purchases as (
    select
        customer_id,
        count(*) as lines,
        sum(revenue) as revenue,
        max(date) as last_purchase
    from {transactions}
    where date <= $as_of
    group by customer_id
),

seen as (
    select customer_id, max(date) as last_contact
    from ({contacts})
    where date <= $as_of
    group by customer_id
),

file as ({file})

select
    customer_id,
    coalesce(purchases.lines, 0) as lines,
    coalesce(purchases.revenue, 0)::double as revenue,
    purchases.last_purchase,
    seen.last_contact,
    file.* exclude (customer_id)
from purchases
full join file using (customer_id)
full join seen using (customer_id)
order by customer_id
