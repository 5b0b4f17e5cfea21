-- Customers who bought something of a category since a day.
select distinct lines.customer_id
from transactions as lines
inner join products using (product_id)
where
    products.category = $category
    and lines.quantity > 0
    and lines.revenue >= 0
    and lines.date between $since and $until
