-- Returns that found no purchase for all of their value.
select count(*) over (), sum(value_left) over (), source_row, value_left
from work.netted
where is_return and kept
order by source_row
limit {limit}
