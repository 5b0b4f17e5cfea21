-- One row a customer: what was bought between $start and $end, observed until $end.
-- Three plain aggregations (order, day, customer) take the place of distinct counts, which cost more.
-- A purchase is a line with units and without a negative amount; returns count in the sums only.
with lines as (
    select
        customer_id, date, order_id, product_id, quantity, revenue, discount, cost,
        quantity > 0 and revenue >= 0 as purchase,
        revenue + coalesce(discount, 0) as list_value
    from transactions
    where date between $start and $end
),
orders as (
    select
        customer_id, date, order_id,
        bool_or(purchase) as purchase,
        sum(quantity) as units,
        sum(revenue) as revenue,
        sum(revenue) filter (purchase) as bought,
        sum(revenue) filter (purchase and discount > 0) as on_deal,
        count(discount) as discounts_known,
        sum(discount) as discount,
        sum(cost) as cost,
        sum(revenue) filter (not purchase and (revenue < 0 or quantity < 0)) as returned,
        sum(list_value) filter (cost is null) as list_value_without_cost,
        count(*) - count(cost) as lines_without_cost
    from lines
    group by customer_id, date, order_id
),
days as (
    select
        customer_id, date,
        bool_or(purchase) as purchase,
        count(*) filter (purchase) as orders,
        sum(units) as units,
        sum(revenue) as revenue,
        sum(bought) as bought,
        sum(on_deal) as on_deal,
        sum(discounts_known) as discounts_known,
        sum(discount) as discount,
        sum(cost) as cost,
        sum(returned) as returned,
        sum(list_value_without_cost) as list_value_without_cost,
        sum(lines_without_cost) as lines_without_cost
    from orders
    group by customer_id, date
),
buyers as (
    select
        customer_id,
        count(*) filter (purchase) as purchase_days,
        min(date) filter (purchase) as first_order,
        max(date) filter (purchase) as last_order,
        sum(bought) - arg_min(bought, date) filter (purchase) as bought_again,
        sum(bought) as bought,
        sum(on_deal) as on_deal,
        sum(discounts_known) as discounts_known,
        sum(orders) as orders,
        sum(units) as units,
        sum(revenue) as revenue,
        sum(discount) as discount,
        sum(cost) as cost,
        sum(returned) as returned,
        sum(list_value_without_cost) as list_value_without_cost,
        sum(lines_without_cost) as lines_without_cost
    from days
    group by customer_id
),
variety as (
    select customer_id, count(distinct product_id) filter (purchase) as products
    from lines
    group by customer_id
),
contacts as (
    select customer_id, sum(cost) as contact_cost
    from interactions
    where date between $start and $end
    group by customer_id
),
figures as (
    select
        coalesce(buyers.customer_id, customers.customer_id) as customer_id,
        greatest(coalesce(purchase_days, 0) - 1, 0) as frequency,
        date_diff('day', first_order, last_order)::double as recency,
        date_diff('day', first_order, $end::date)::double as "T",
        case when purchase_days > 1
            then bought_again::double / (purchase_days - 1) end as monetary_value,
        coalesce(orders, 0)::bigint as orders,
        coalesce(units, 0)::double as units,
        coalesce(revenue, 0)::double as revenue,
        case when discounts_known > 0 then coalesce(discount, 0)::double end as discount,
        case
            when buyers.customer_id is null then 0
            when lines_without_cost = 0 then (revenue - cost)::double
            else (revenue - coalesce(cost, 0))::double
                - (1 - $margin::double) * list_value_without_cost::double
        end as margin,
        case when $has_cost_to_serve
            then coalesce(contact_cost, 0)::double + $cost_per_order::double * coalesce(orders, 0)
        end as cost_to_serve,
        first_order,
        last_order,
        coalesce(products, 0)::bigint as products,
        case when discounts_known > 0 and bought > 0
            then coalesce(on_deal, 0)::double / bought::double end as deal_share,
        0.0 - coalesce(returned, 0)::double as returns,
        customers.customer_id is not null as on_file
    from buyers
    full join (select distinct customer_id from customers) as customers using (customer_id)
    left join variety using (customer_id)
    left join contacts using (customer_id)
)
from figures
order by customer_id
