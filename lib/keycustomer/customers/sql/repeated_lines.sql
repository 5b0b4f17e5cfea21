-- Source rows that repeat an earlier one in every column, among the candidates.
create or replace table work.repeated_lines as
with placed as (
    select
        source_row,
        min(source_row) over (partition by {columns}) as first_row
    from {relation}
    where source_row in (select source_row from work.similar_lines)
)
select source_row, first_row
from placed
where source_row > first_row
