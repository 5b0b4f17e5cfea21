-- The order lines of the base after returns were set against purchases.
create table base.transactions as
select source_row as line, {columns}
from (
    select lines.* replace (
        coalesce(netted.quantity, lines.quantity) as quantity,
        coalesce(netted.revenue, lines.revenue) as revenue,
        coalesce(netted.discount, lines.discount) as discount,
        coalesce(netted.cost, lines.cost) as cost
    )
    from {remaining} as lines
    left join work.netted as netted using (source_row)
    where coalesce(netted.kept, true)
)
{order}
