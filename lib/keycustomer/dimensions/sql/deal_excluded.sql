-- Lines between $start and $end that tell nothing about deals, by reason, each line under the first.
select
    case
        when quantity <= 0 or revenue < 0 then 'no purchase (return, no quantity)'
        when discount is null then 'discount not known'
        when products.category is null then 'product without a category'
    end as reason,
    count(*) as lines
from transactions as lines
left join products using (product_id)
where date between $start and $end
group by reason
having reason is not null
order by reason
