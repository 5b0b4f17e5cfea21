-- Records beyond the one that is kept of each id.
create or replace table work.repeated_{table} as
select source_row, {key} as id
from {remaining}
where {key} is not null
qualify row_number() over (partition by {key} order by {order}source_row) > 1
