-- How many repeated lines, and the first.
select count(*) over (), source_row, first_row
from work.repeated_lines
order by source_row
limit {limit}
