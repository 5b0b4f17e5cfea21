-- Lines of a mixed order that do not belong to its first day, and first customer on that day.
create or replace table work.stray_lines as
select source_row
from {remaining} as lines
join work.mixed_orders as orders using (order_id)
where (lines.date, lines.customer_id) is distinct from (orders.kept.day, orders.kept.customer)
