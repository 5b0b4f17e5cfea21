-- One row a customer: each field in the form in which it is compared.
create or replace temp table records as
with
folded_fields as (
    select
        customer_id,
        revenue,
        folded(name, $placeholders) as name,
        folded(address, $placeholders) as address,
        folded(city, $placeholders) as city,
        nullif(replace(folded(postal_code, $placeholders), ' ', ''), '') as postal_code,
        lower(trim(email)) as email,
        ltrim(regexp_replace(phone, '\D', '', 'g'), '0') as phone
    from customers
),

worded as (
    select
        *,
        string_split(regexp_replace(name, $legal_form, ''), ' ') as words,
        list_filter(string_split(regexp_replace(name, $legal_form, ''), ' '),
            lambda word: word <> '' and not list_contains($noise, word)) as telling
    from folded_fields
),

written as (
    select
        * exclude (name, email, phone, address, words, telling),
        case when name is not null then if(len(telling) > 0, telling, words) end as words,
        case when regexp_matches(email, '^[^@\s]+@[^@\s]+\.[^@\s]+$')
            then regexp_replace(email, '\+[^@]*@', '@') end as email,
        case when length(phone) >= 6 then right(phone, 8) end as phone,
        regexp_replace(regexp_replace(regexp_replace(regexp_replace(
            address, 'str(asse)?( |$)', 'str\2', 'g'), '( |^)street( |$)', '\1st\2'),
            '( |^)avenue( |$)', '\1ave\2'), '( |^)road( |$)', '\1rd\2') as address
    from worded
),

keyed as (
    select
        *,
        array_to_string(words, ' ') as name,
        array_to_string(list_sort(words), ' ') as name_sorted,
        array_to_string(list_sort(regexp_extract_all(address, '\d+')), ' ') as numbers
    from written
),

counted as (
    select
        *,
        count(*) over (partition by name_sorted) as carriers,
        count(*) over (partition by email) as email_carriers,
        count(*) over (partition by phone) as phone_carriers
    from keyed
)

select
    customer_id,
    revenue,
    words,
    name,
    name_sorted,
    length(regexp_replace(name, '\P{Han}', '', 'g')) as chinese,
    carriers,
    if(email_carriers <= $shared, email, null) as email,
    if(phone_carriers <= $shared, phone, null) as phone,
    address,
    numbers,
    postal_code,
    city,
    email_carriers > $shared and email is not null as email_shared,
    phone_carriers > $shared and phone is not null as phone_shared,
    name_sorted as block_name,
    address || '|' || coalesce(postal_code, city, '') as block_address,
    postal_code || '|' || left(name_sorted, 3) as block_postal_code,
    city || '|' || left(name, 4) as block_city
from counted
