-- The customer file as flags: on file, verified when, and one flag "says something" for each field.
select
    customer_id,
    true as on_file,
    {updated_on} as updated_on,
    {flags}
from customers
