-- Values of some rows as the source writes them.
select source_row, {columns}
from {relation}
where list_contains($rows::bigint[], source_row)
