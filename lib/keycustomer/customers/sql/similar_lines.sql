-- Lines whose hash another line shares: candidates for being repeated.
create or replace table work.similar_lines as
with hashed as (
    select source_row, hash({columns}) as hashed from {remaining}
),
shared as (
    select hashed from hashed group by hashed having count(*) > 1
)
select source_row from hashed semi join shared using (hashed)
