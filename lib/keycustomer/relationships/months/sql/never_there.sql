-- Customers of the base without a month in the panel, by reason.
with known as (
    select customer_id from customers
    union
    select customer_id from ({contracts})
),
dated as (
    select customer_id, min(start) as first_start, max(coalesce("end", '9999-12-31')) as last_stop
    from ({contracts})
    group by customer_id
),
reasons as (
    select
        known.customer_id,
        case
            when dated.customer_id is null then 'customers without a contract'
            when first_start > $end::date then 'customers whose contracts begin after the window'
            when last_stop < $start::date then 'customers whose contracts ended before the window'
            else 'customers whose contracts pause during the window'
        end as reason
    from known
    left join dated using (customer_id)
    where known.customer_id not in (select customer_id from laid_out_months)
)
select reason, count(*) as customers, count(*) as rows
from reasons
group by reason
order by reason
