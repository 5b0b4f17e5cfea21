-- Share of all pairs of customers that agree in a field, counted without forming the pairs.
select sum(n * (n - 1.0)) / nullif(sum(n) * (sum(n) - 1.0), 0) as agreement
from (select count(*)::double as n from records where {field} is not null group by {field})
