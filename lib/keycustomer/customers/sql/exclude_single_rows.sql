-- Rows that a rule on single rows drops: each by the first one.
insert into work.{excluded}
select source_row, rule
from (
    select
        source_row,
        case
        {cases}
        end as rule
    from {remaining}
)
where rule is not null
