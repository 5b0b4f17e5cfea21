-- Whether any customer's lines add up to more than nothing.
select 1 from {remaining} group by customer_id having sum(revenue) > 0 limit 1
