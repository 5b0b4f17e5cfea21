-- Customers with a value in a field of the file; a placeholder such as "n/a" is none.
select customer_id
from customers
where
    nullif(trim({field}), '') is not null
    and not list_contains($placeholders, lower(trim({field})))
