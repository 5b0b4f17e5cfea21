-- Lines that changed. A return is gone when nothing of its value (or, without value, units) is left.
create or replace table work.netted as
select
    source_row,
    is_return,
    not is_return or value_left > 0 or (value = 0 and units_left > 0) as kept,
    (case when not is_return then units_left
        when lines.quantity < 0 then -units_left
        else lines.quantity end)::decimal(18,4) as quantity,
    (case when is_return then -value_left else value_left end)::decimal(18,4) as revenue,
    round(discount::double * share, 4)::decimal(18,4) as discount,
    round(cost::double * share, 4)::decimal(18,4) as cost,
    lines.revenue as revenue_before,
    value_left,
    value
from (
    select *, case when value > 0 then value_left::double / value::double else 1.0 end as share
    from work.net_lines
) as net
join work.transactions as lines using (source_row)
where net.value_left <> net.value
    or net.units_left <> net.units
    or net.is_return
