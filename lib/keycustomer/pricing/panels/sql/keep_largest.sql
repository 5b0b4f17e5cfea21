-- Keep the lines of the $largest products by revenue.
delete from panel_lines
where product not in (
    select product
    from panel_lines
    where reason is null
    group by product
    order by sum(revenue) desc, product
    limit $largest
)
