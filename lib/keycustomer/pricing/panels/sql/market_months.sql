-- One row a product, region and month of the market table: competitors' price and cost shock.
select
    product as product_id,
    region,
    date_trunc('month', try_cast(month as timestamp))::date as period,
    avg({competitor_price}) as competitor_price,
    avg({cost_shock}) as cost_shock
from market
group by all
