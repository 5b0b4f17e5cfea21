-- One order line a source row: money per line or per unit brought to revenue, discount and cost.
-- A product that overflows, or does not fit 18 digits with 4 decimals, is marked as unreadable.
create table work.transactions as
with read as (
    select
        source_row,
        {plain},
        {money},
        {raw}
    from {relation}
),
plausible as (
    select * {days}
    from read
),
-- Narrow decimals multiply many times faster; wide ones are needed beyond four decimals, and where
-- the narrow product overflows.
multiplied as (
    select
        *,
        {early_flags} as early_flags,
        fine_quantity = quantity as narrow,
        coalesce(
            case
                when narrow and fine_unit_price = unit_price
                    then try_cast(try(unit_price * quantity) as decimal(18,4))
            end,
            try_cast(try(fine_unit_price * fine_quantity) as decimal(18,4))
        ) as reckoned_amount,
        coalesce(
            case
                when narrow and fine_unit_list_price = unit_list_price
                    then try_cast(try(unit_list_price * quantity) as decimal(18,4))
            end,
            try_cast(try(fine_unit_list_price * fine_quantity) as decimal(18,4))
        ) as reckoned_list_amount,
        coalesce(
            case
                when narrow and fine_unit_cost = unit_cost
                    then try_cast(try(unit_cost * quantity) as decimal(18,4))
            end,
            try_cast(try(fine_unit_cost * fine_quantity) as decimal(18,4))
        ) as reckoned_cost,
        -- What unit prices rounded to cents may differ by.
        0.005 * (1 + abs(quantity)) as slack
    from plausible
),
valued as (
    select
        *,
        coalesce(stated_amount, reckoned_amount) as revenue,
        coalesce(stated_list_amount, reckoned_list_amount) as list_value,
        coalesce(stated_cost, reckoned_cost) as cost
    from multiplied
),
reduced as (
    select
        *,
        try_cast(list_value - revenue as decimal(18,4)) as list_discount,
        quantity < 0 or revenue < 0 as returned
    from valued
)
select
    source_row,
    customer_id,
    order_id,
    date,
    product_id,
    quantity,
    revenue,
    case
        when list_discount is null and returned then -abs(stated_discount)
        when list_discount is null then case when stated_discount < 0 then 0 else stated_discount end
        when returned then case when list_discount > 0 then 0 else list_discount end
        when list_discount < 0 then 0
        else list_discount
    end::decimal(18,4) as discount,
    cost,
    channel,
    (
        early_flags
        + {first_late_bit} * (
            case
                when (reckoned_amount is null and unit_price is not null and quantity is not null)
                    or (reckoned_list_amount is null and unit_list_price is not null and quantity is not null)
                    or (reckoned_cost is null and unit_cost is not null and quantity is not null)
                then 1 else 0
            end
            + case when abs(stated_amount - reckoned_amount) > slack then 2 else 0 end
            + case when abs(stated_list_amount - reckoned_list_amount) > slack then 4 else 0 end
            + case when abs(stated_cost - reckoned_cost) > slack then 8 else 0 end
            + case
                when not returned and abs(stated_discount - list_discount) > slack then 16 else 0
            end
            + case
                when not returned and (list_discount < 0 or stated_discount < 0) then 32 else 0
            end
        )
    )::bigint as row_flags
from reduced
