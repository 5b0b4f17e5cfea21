-- Customers on file whose attribute has one of the values asked for.
select customer_id
from customers
where list_contains($wanted, {attribute})
