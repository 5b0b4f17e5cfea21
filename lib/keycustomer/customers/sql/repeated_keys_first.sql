-- How many repeated records, and the first.
select count(*) over (), source_row, id
from work.repeated_{table}
order by source_row
limit {limit}
