-- Returns that are gone, purchases that lost value, and what the revenue of either lost.
select
    count(*) filter (not kept),
    count(*) filter (not is_return and revenue <> revenue_before),
    coalesce(sum(revenue_before - revenue) filter (is_return), 0)::decimal(18,4),
    coalesce(sum(revenue_before - revenue) filter (not is_return), 0)::decimal(18,4)
from work.netted
