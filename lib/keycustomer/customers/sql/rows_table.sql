-- A small table of the base.
create table base.{table} ({columns})
