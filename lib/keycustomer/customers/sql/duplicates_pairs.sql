-- The pairs to look at: which fields are the same, and what both customers are worth.
select
    least(first.customer_id, second.customer_id) as customer_id_l,
    greatest(first.customer_id, second.customer_id) as customer_id_r,
    round(pairs.match_probability, 6) as probability,
    pairs.gamma_name as name_level,
    pairs.gamma_contact as contact_level,
    concat_ws(', ',
        if(first.name_sorted = second.name_sorted, 'name', null),
        if(first.email = second.email, 'email', null),
        if(first.phone = second.phone, 'phone', null),
        if(first.address = second.address, 'address', null),
        if(first.postal_code = second.postal_code, 'postal_code', null),
        if(first.city = second.city, 'city', null)
    ) as same,
    (first.revenue + second.revenue)::double as revenue
from {pairs} as pairs
inner join records as first on first.customer_id = pairs.customer_id_l
inner join records as second on second.customer_id = pairs.customer_id_r
order by probability desc, 1, 2
