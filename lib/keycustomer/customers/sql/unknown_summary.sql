-- How many unknown ids and rows of them, and the first.
select count(*) over (), sum(n) over ()::bigint, first_row, id
from {relation}
order by first_row
limit {limit}
