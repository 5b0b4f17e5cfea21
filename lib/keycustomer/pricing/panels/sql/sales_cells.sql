-- One row a product, unit and period of the grid: sold, or not sold while others paid a price.
-- A unit is on the grid of a product that it bought in at least $least_periods periods, from its
-- first purchase of anything to the end of the window, or, unless $until_end, to its last one.
with sold as (
    select * from panel_lines where reason is null
),
cells as (
    select
        product, unit, any_value(tier) as tier, period,
        sum(quantity * worth) as quantity,
        sum(revenue) as revenue,
        sum(revenue + discount) as list_value,
        sum(quantity * worth) filter (discount > 0) as on_deal,
        case when count(cost) = count(*) then sum(cost) end as cost
    from sold
    group by product, unit, period
),
pairs as (
    select product, unit, any_value(tier) as tier, count(*) as periods
    from cells
    group by product, unit
),
there as (
    select unit, min(period) as first, max(period) as last
    from cells
    group by unit
),
markets as (
    select
        product, period,
        sum(quantity) as quantity,
        sum(revenue) as revenue,
        sum(list_value) as list_value,
        sum(on_deal) as on_deal,
        case when count(cost) = count(*) then sum(cost) end as cost
    from cells
    group by product, period
)
select
    pairs.product,
    pairs.unit,
    pairs.tier,
    markets.period::timestamp as period,
    coalesce(cells.quantity, 0) as quantity,
    coalesce(cells.revenue, 0) as revenue,
    markets.revenue / markets.quantity as market_price,
    coalesce(cells.revenue / cells.quantity, market_price) as price,
    case when cells.unit is null then markets.list_value / markets.quantity
        else cells.list_value / cells.quantity end as list_price,
    case when cells.unit is null then coalesce(markets.on_deal, 0) / markets.quantity
        else coalesce(cells.on_deal, 0) / cells.quantity end as promotion,
    case when cells.unit is null then markets.cost / markets.quantity
        else cells.cost / cells.quantity end as unit_cost,
    cells.unit is null as price_of_others
from pairs
inner join there using (unit)
inner join markets using (product)
left join cells
    on cells.product = pairs.product and cells.unit = pairs.unit and cells.period = markets.period
where
    pairs.periods >= $least_periods
    and markets.period >= there.first
    and ($until_end or markets.period <= there.last)
order by all
