-- One row a customer who complained: how often, and when last.
select
    customer_id,
    count(*) as complaints,
    max(date) as last_complaint,
    {resolved} as unresolved
from interactions
where list_contains($kinds, lower(trim(kind))) and date between $start and $end
group by customer_id
order by customer_id
