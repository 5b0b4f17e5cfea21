-- Every row check of a table, counted in one pass.
select
    {counts}
from work.{table}
