-- A row of a small table of the base.
insert into base.{table} values ({places})
