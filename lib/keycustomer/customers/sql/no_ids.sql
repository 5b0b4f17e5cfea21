-- Stands in where no table has the id.
select null::varchar as table_name, null::varchar as id, 0 as n, null::bigint as first_row
where false
