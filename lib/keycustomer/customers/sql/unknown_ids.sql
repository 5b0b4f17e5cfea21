-- Ids of one table that none of the known tables has.
create or replace table {relation} as
select id, n, first_row
from work.ids_{column}
where table_name = $table_name
    and id not in (select id from work.ids_{column} where list_contains($known::varchar[], table_name))
