-- A table of the base, in the order of the source.
create table base.{table} as
select {columns}
from {remaining}
order by source_row
