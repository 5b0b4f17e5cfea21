-- One field that the import has cast to a date, number or flag, or an id: blanks are gone already.
select
    count(*) as rows,
    count({value}) as written,
    count({value}) as filled
from {table}
