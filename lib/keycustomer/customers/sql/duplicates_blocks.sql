-- Block keys that too many customers share are dropped, so that the number of pairs to compare
-- grows with the number of customers and not with its square.
create or replace temp table blocked as
select
    * exclude (block_name, block_address, block_postal_code, block_city),
    if(count(*) over (partition by block_name) <= $largest, block_name, null) as block_name,
    if(count(*) over (partition by block_address) <= $largest, block_address, null)
        as block_address,
    if(count(*) over (partition by block_postal_code) <= $largest, block_postal_code, null)
        as block_postal_code,
    if(count(*) over (partition by block_city) <= $largest, block_city, null) as block_city
from records
