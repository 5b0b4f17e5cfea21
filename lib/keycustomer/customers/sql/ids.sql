-- Each id of one table, with its rows.
select '{table_name}' as table_name, {column} as id, count(*) as n, min(source_row) as first_row
from work.{table}
where {column} is not null
group by {column}
