-- Most rows that the panel can have: pairs of product and unit, times the product's periods.
with sold as (
    select * from panel_lines where reason is null
),
pairs as (
    select product, unit
    from sold
    group by product, unit
    having count(distinct period) >= $least_periods
),
periods as (
    select product, count(distinct period) as periods
    from sold
    group by product
)
select sum(periods) as rows
from pairs
inner join periods using (product)
