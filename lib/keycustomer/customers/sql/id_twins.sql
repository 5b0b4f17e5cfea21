-- Ids that are one under a fold: how many groups and ids there are, and the first groups.
with ids as (
    select distinct {column} as id from {relation} where {column} is not null
),
twins as (
    select {fold} as folded, count(*) as n
    from ids
    group by folded
    having count(*) > 1
),
totals as (
    select count(*) as groups, sum(n)::bigint as total from twins
),
first_twins as (
    select folded from twins order by folded limit {limit}
)
select any_value(groups), any_value(total), list(id order by id)
from ids
join first_twins on {fold} = folded
cross join totals
group by folded
order by folded
