-- The order lines of the base, in the order of the source.
create table base.transactions as
select source_row as line, {columns}
from {remaining}
{order}
