-- One field of one table: how many rows, how many hold a value, how many of these say something.
-- A blank is no value; a placeholder ("unknown", "n/a", ...) is a value that says nothing.
select
    count(*) as rows,
    count({value}) as written,
    count({value}) filter (not list_contains($placeholders, lower({value}::varchar))) as filled
from {table}
