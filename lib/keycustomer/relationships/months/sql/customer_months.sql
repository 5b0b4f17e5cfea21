-- One row a customer and calendar month between $start and $end in which a contract ran.
-- `contract_left` counts from the day the contract was concluded: a row that follows at once, in the
-- same plan but on another level, is the same contract; every other row is a new one.
with agreed as materialized (
    select
        customer_id,
        start,
        coalesce("end", date '9999-12-31') as stop,
        coalesce(list_position($levels, lower(trim(relationship_level))), 0) - 1 as level,
        price_plan,
        list_extract($terms, list_position($plans, price_plan)) as term
    from ({contracts})
),
in_order as (
    select
        *,
        row_number() over (order by customer_id, start, stop, level, price_plan) as place,
        lag(stop) over each_customer + 1 = start
            and lag(price_plan) over each_customer is not distinct from price_plan
            and lag(level) over each_customer <> level as moved
    from agreed
    window each_customer as (partition by customer_id order by start, stop)
),
concluded as materialized (
    select
        *,
        max(case when moved then null else start end) over (
            partition by customer_id order by start, stop rows unbounded preceding
        ) as since
    from in_order
),
stays as (
    select customer_id, min(start) as first_start, max(stop) as last_stop
    from agreed
    group by customer_id
),
covered as (
    select
        customer_id,
        place,
        unnest(
            generate_series(
                date_trunc('month', greatest(start, $start::date)),
                date_trunc('month', least(stop, $end::date)),
                interval 1 month
            )
        )::date as month
    from concluded
    where start <= $end::date and stop >= $start::date
),
in_force as (
    select customer_id, month, max(place) as place
    from covered
    group by customer_id, month
),
spine as (
    select
        in_force.customer_id,
        month,
        date_diff('month', $start::date, month) as number,
        level,
        price_plan,
        term,
        since
    from in_force
    inner join concluded using (place)
),
amounts as (
    {amounts}
),
contacts as (
    select
        customer_id,
        date_trunc('month', date)::date as month,
        count(*) filter (list_contains($contact_kinds, kind)) as contacts,
        {kind_counts}
        count(*) filter (list_contains($complaint_kinds, kind)) as complaints,
        count(*) filter (
            list_contains($complaint_kinds, kind) and first_contact_resolution
        ) as resolved_first,
        count(*) filter (
            list_contains($complaint_kinds, kind)
            and not (resolved_on is null and coalesce(first_contact_resolution, false))
        ) as opened,
        sum(cost)::double as contact_cost
    from interactions
    where date between $start and $end
    group by customer_id, month
),
resolutions as (
    select
        customer_id,
        date_trunc('month', resolved_on)::date as month,
        count(*) as closed,
        avg(resolved_on - date) as resolution_days
    from interactions
    where
        list_contains($complaint_kinds, kind)
        and date between $start and $end
        and resolved_on between date and $end
    group by customer_id, month
),
people as (
    select customer_id, min({joined_on}) as joined_on
    from customers
    group by customer_id
),
months as (
    select
        customer_id,
        month,
        number,
        greatest(month - coalesce(joined_on, first_start), 0) / 365.25 as tenure,
        last_stop <= $end::date and date_trunc('month', last_stop) = month as "left",
        -- a contract's first month counts when it began on the first day
        date_diff('month', since, month) - (day(since) > 1)::int as elapsed,
        case
            when coalesce(term, 0) = 0 then 0
            when elapsed < 0 then term + 1
            else term - elapsed % term
        end as contract_left,
        price_plan,
        level,
        case when amounts.revenue is null then {nothing} else amounts.revenue end as revenue,
        case when amounts.revenue is null then {nothing} else margin end as margin,
        case when amounts.revenue is null then {nothing} else list_revenue end as list_revenue,
        1 - amounts.revenue / case when list_revenue > 0 then list_revenue end as discount,
        coalesce(products, {nothing}) as products,
        coalesce(categories, {nothing}) as categories,
        channel,
        {contact_columns}
    from spine
    inner join stays using (customer_id)
    left join people using (customer_id)
    left join amounts using (customer_id, month)
    left join contacts using (customer_id, month)
    left join resolutions using (customer_id, month)
)
select
    * exclude (elapsed)
    replace (greatest(sum(open_complaints) over so_far, {no_contact})::double as open_complaints),
    avg(margin) over past_year * 12 as last_year_margin,
    avg(revenue) over past_year * 12 as last_year_revenue
from months
window
    past_year as (
        partition by customer_id order by number range between 12 preceding and 1 preceding
    ),
    so_far as (partition by customer_id order by number rows unbounded preceding)
order by customer_id, month
