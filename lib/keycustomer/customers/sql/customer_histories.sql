-- One row a different purchase history: frequency, recency and T as in customer_table.sql.
with days as (
    select distinct customer_id, date
    from ({purchase_lines})
),
buyers as (
    select
        count(*) - 1 as frequency,
        date_diff('day', min(date), max(date)) as recency,
        date_diff('day', min(date), $end::date) as "T"
    from days
    group by customer_id
)
select frequency, recency, "T", count(*) as customers
from buyers
group by all
order by all
