-- One row a customer and period in which it has lines; $width 0 cuts calendar periods of $unit,
-- a positive $width cuts windows of that many days from $start on.
with lines as (
    select
        customer_id, order_id, date, quantity, revenue, discount, cost,
        quantity > 0 and revenue >= 0 as purchase,
        case
            when $width = 0 then date_trunc($unit, date)::date
            else $start::date + ((date - $start::date) // $width * $width)::int
        end as period
    from transactions
    where date between $start and $end
),
orders as (
    select
        customer_id, period, date, order_id,
        bool_or(purchase) as purchase,
        sum(quantity) as units,
        sum(revenue) as revenue,
        sum(discount) as discount,
        sum(cost) as cost,
        sum(revenue + coalesce(discount, 0)) filter (cost is null) as list_value_without_cost,
        count(*) - count(cost) as lines_without_cost
    from lines
    group by customer_id, period, date, order_id
),
periods as (
    select
        customer_id, period,
        count(*) filter (purchase) as orders,
        sum(units)::double as units,
        sum(revenue)::double as revenue,
        sum(discount)::double as discount,
        case
            when sum(lines_without_cost) = 0 then (sum(revenue) - sum(cost))::double
            else (sum(revenue) - coalesce(sum(cost), 0))::double
                - (1 - $margin::double) * sum(list_value_without_cost)::double
        end as margin
    from orders
    group by customer_id, period
),
contacts as (
    select
        customer_id,
        case
            when $width = 0 then date_trunc($unit, date)::date
            else $start::date + ((date - $start::date) // $width * $width)::int
        end as period,
        sum(cost)::double as contact_cost
    from interactions
    where date between $start and $end
    group by all
)
select
    periods.*,
    case when $has_cost_to_serve
        then margin - coalesce(contact_cost, 0) - $cost_per_order::double * orders
        else margin end as profit
from periods
left join contacts using (customer_id, period)
order by customer_id, period
