-- One row a line of a purchase between $start and $end whose discount and category are known:
-- whether it was on deal (a discount above $deeper_than of the list value), and what share of the purchases of all other customers in the same
-- category and month was. $prior lines at the rate of the category (and this one, likewise, at the
-- overall rate) steady the share where others bought little. Baskets alternate between two halves.
with lines as (
    select
        lines.customer_id, lines.date, lines.order_id, products.category,
        date_trunc('month', lines.date) as month,
        (lines.discount > $deeper_than::double * (lines.revenue + lines.discount)::double)::int as deal
    from transactions as lines
    inner join products using (product_id)
    where
        lines.date between $start and $end
        and lines.quantity > 0
        and lines.revenue >= 0
        and lines.discount is not null
        and products.category is not null
),
own_cells as (
    select customer_id, category, month, count(*) as lines, sum(deal) as deals
    from lines
    group by all
),
with_sums as (
    select
        *,
        sum(lines) over (partition by category, month) - lines as others_cell_lines,
        sum(deals) over (partition by category, month) - deals as others_cell_deals,
        sum(lines) over (partition by category)
            - sum(lines) over (partition by category, customer_id) as others_lines,
        sum(deals) over (partition by category)
            - sum(deals) over (partition by category, customer_id) as others_deals,
        sum(deals) over () / sum(lines) over () as overall
    from own_cells
),
with_rates as (
    select
        *,
        (others_deals + $prior::double * overall) / (others_lines + $prior::double) as rate
    from with_sums
),
expected_cells as (
    select
        customer_id, category, month,
        ((others_cell_deals + $prior::double * rate)
        / (others_cell_lines + $prior::double))::double as expected
    from with_rates
),
numbered as (
    select
        *,
        dense_rank() over (partition by customer_id order by date, order_id) % 2 as half
    from lines
)
select numbered.customer_id, date, order_id, half, deal, expected
from numbered
inner join expected_cells using (customer_id, category, month)
