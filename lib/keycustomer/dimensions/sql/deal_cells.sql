-- One row a customer, half of its baskets and class of expected deal share, in $classes classes.
select
    customer_id,
    half::int as half,
    least(floor(expected * $classes), $classes - 1)::int as class,
    count(*) as lines,
    sum(deal)::bigint as deals,
    avg(expected) as expected
from ({deal_lines})
group by all
order by all
