-- Orders with several customers or days: found by hashes, which spill in small pieces, then proven.
create or replace table work.mixed_orders as
with suspects as (
    select hash(order_id) as hashed
    from {remaining}
    where order_id is not null
    group by hashed
    having min(hash(customer_id)) <> max(hash(customer_id)) or min(date) <> max(date)
)
select
    order_id,
    count(distinct customer_id) as customers,
    count(distinct date) as days,
    min(source_row) as first_row,
    min(struct_pack(day := date, customer := customer_id)) as kept
from {remaining}
where order_id is not null and hash(order_id) in (select hashed from suspects)
group by order_id
having count(distinct customer_id) > 1 or count(distinct date) > 1
