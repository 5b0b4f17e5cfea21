-- Lines of customers and products that have a return, with the value and units that may be set off.
-- A credit without units (negative amount, quantity not negative) takes value only.
create or replace table work.net_lines as
with marked as (
    select *, quantity < 0 or revenue < 0 as is_return from {remaining}
),
touched as (
    select distinct customer_id, product_id from marked where is_return
)
select
    source_row,
    marked.customer_id,
    marked.product_id,
    order_id,
    date,
    is_return,
    abs(revenue)::decimal(18,4) as value,
    (case when not is_return then quantity when quantity < 0 then -quantity else 0 end)::decimal(18,4) as units,
    value as value_left,
    units as units_left,
    -- Does the return name the order of a purchase of the same customer and product?
    is_return
        and order_id is not null
        and bool_or(not is_return) over (partition by marked.customer_id, marked.product_id, order_id) as own_order
from marked
join touched
    on marked.customer_id = touched.customer_id
    and marked.product_id is not distinct from touched.product_id
