-- Order lines that are on no row of the panel, by reason.
with cells as (
    select product, unit, count(distinct period) as periods, count(*) as lines
    from panel_lines
    where reason is null
    group by product, unit
)
select reason, count(*) as lines
from panel_lines
where reason is not null
group by reason
union all
select 'bought in fewer than ' || $least_periods::int || ' periods', sum(lines)
from cells
where periods < $least_periods
having count(*) > 0
order by lines desc, reason
