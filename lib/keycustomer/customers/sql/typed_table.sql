-- One source row a row: columns typed, blanks NULL, a bit of row_flags for each unreadable value.
create table work.{table} as
with read as (
    select
        source_row,
        {values},
        {raw}
    from {relation}
),
plausible as (
    select * {days}
    from read
)
select
    source_row,
    {names},
    ({flags})::bigint as row_flags
from plausible
