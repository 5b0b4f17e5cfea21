-- The first rows for which a check holds.
select source_row{columns}
from work.{table}
where {condition}
order by source_row
limit {limit}
