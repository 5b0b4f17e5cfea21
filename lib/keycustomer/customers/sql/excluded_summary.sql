-- Rows and value taken out by each rule.
select rule, count(*), ({value})::decimal(18,4)
from work.{excluded}
join work.{table} using (source_row)
group by rule
