-- One source row a row: columns typed, blanks NULL, a bit of row_flags for each unreadable value.
create table work.{table} as
select
    source_row,
    {values},
    ({flags})::bigint as row_flags
from {relation}
