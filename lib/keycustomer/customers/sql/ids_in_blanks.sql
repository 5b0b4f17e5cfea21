-- Ids with blanks around them.
with surrounded as (
    select distinct {column} as id from {relation} where {column} <> trim({column}, $blanks)
)
select count(*) over (), id
from surrounded
order by id
limit {limit}
