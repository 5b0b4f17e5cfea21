-- Carry what is left over to the lines.
create or replace table work.net_lines as
select
    lines.* replace (
        coalesce(result.value_left, lines.value_left) as value_left,
        coalesce(result.units_left, lines.units_left) as units_left
    )
from work.net_lines as lines
left join work.{result} as result using (source_row)
