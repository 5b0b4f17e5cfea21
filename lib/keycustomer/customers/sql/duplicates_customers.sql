-- The fields by which customers can be told to be the same, and what each customer bought.
select
    file.customer_id,
    {fields},
    coalesce(bought.revenue, 0)::double as revenue
from customers as file
left join (
    select customer_id, sum(revenue) as revenue
    from {transactions}
    group by customer_id
) as bought using (customer_id)
order by file.customer_id
