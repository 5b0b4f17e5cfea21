-- How much of the depth of discounts between $start and $end customers share who buy the same
-- product in the same week: variance within (unbiased) and in all, of lines whose product was
-- bought at least twice in its week.
with lines as (
    select
        product_id,
        date_trunc('week', date)::date as week,
        (discount / (revenue + discount))::double as depth
    from transactions
    where
        date between $start and $end
        and quantity > 0
        and revenue > 0
        and discount is not null
),
weeks as (
    select product_id, week, count(*) as lines, var_samp(depth) as within_variance
    from lines
    group by all
    having count(*) > 1
)
select
    sum(weeks.lines * within_variance) / sum(weeks.lines) as within_variance,
    (select var_samp(depth) from lines) as total_variance
from weeks
