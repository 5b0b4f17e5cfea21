-- One table of events (dynamic information): how many, of how many customers, over what time.
select
    count(*) as rows,
    count(distinct customer_id) as customers,
    min({date}) as first,
    max({date}) as last
from {table}
