-- One row an order line of the products asked for between $start and $end: what is sold ({product}),
-- to whom ({unit}), in which whole {every}, its units, and why it cannot be used.
-- `basis` is the product's list price on average over the window: quantities of several products
-- are summed at it, so that a change of mix is no change of price.
with lines as (
    select
        customer_id,
        product_id,
        products.category,
        date,
        quantity::double as quantity,
        revenue::double as revenue,
        coalesce(discount, 0)::double as discount,
        cost::double as cost
    from transactions
    left join products using (product_id)
    where date between $start and $end {wanted}
),
bases as (
    select product_id, sum(revenue + discount) / sum(quantity) as basis
    from lines
    where quantity > 0 and revenue > 0
    group by product_id
),
sold as (
    select
        lines.*,
        {basis} as worth,
        {product} as product,
        {unit} as unit,
        {tier} as tier,
        date_trunc('{every}', date)::date as period
    from lines
    left join bases using (product_id)
    {joins}
)
select
    *,
    case
        when period < $start or period + interval 1 {every} > $end::date + 1
            then '{every} cut by the ends of the window'
        when product is null then '{what} not known'
        when unit is null then '{whom} not known'
        when tier is null then 'tier not known'
        when quantity is null or revenue is null then 'quantity or revenue not known'
        when quantity <= 0 then 'no units, or units taken back'
        when revenue <= 0 then 'nothing paid'
    end as reason
from sold
