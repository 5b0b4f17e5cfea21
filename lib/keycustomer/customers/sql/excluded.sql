-- The rows a table's rules take out.
create or replace table work.{table} (source_row bigint, rule varchar)
