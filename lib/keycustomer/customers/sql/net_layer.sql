-- What is left of each purchase and return of a group when returns take from the latest purchases.
-- height: the running sum of purchases less returns, kept from falling below zero.
-- A purchase keeps the part of its layer below the lowest height after it.
-- Equal days: purchases first, then by what the lines say, so that the order of rows matters last.
create or replace table work.{result} as
with taking as (
    select *
    from work.net_lines
    where not is_return or {condition}
),
summed as (
    select
        *,
        sum(case when is_return then -value_left else value_left end) over timeline as value_sum,
        sum(case when is_return then -units_left else units_left end) over timeline as units_sum
    from taking
    window timeline as (
        partition by {group}
        order by date, is_return, value, units, order_id, source_row
        rows unbounded preceding
    )
),
raised as (
    select
        *,
        value_sum - least(0, min(value_sum) over timeline) as value_height,
        units_sum - least(0, min(units_sum) over timeline) as units_height
    from summed
    window timeline as (
        partition by {group}
        order by date, is_return, value, units, order_id, source_row
        rows unbounded preceding
    )
),
bounded as (
    select
        *,
        lag(value_height, 1, 0) over timeline as value_before,
        lag(units_height, 1, 0) over timeline as units_before,
        min(value_height) over rest as value_lowest,
        min(units_height) over rest as units_lowest
    from raised
    window
        timeline as (
            partition by {group}
            order by date, is_return, value, units, order_id, source_row
        ),
        rest as (
            partition by {group}
            order by date, is_return, value, units, order_id, source_row
            rows between current row and unbounded following
        )
)
select
    source_row,
    (case
        when is_return then value_left - (value_before - value_height)
        else greatest(0, value_lowest - (value_height - value_left))
    end)::decimal(18,4) as value_left,
    (case
        when is_return then units_left - (units_before - units_height)
        else greatest(0, units_lowest - (units_height - units_left))
    end)::decimal(18,4) as units_left
from bounded
