-- Rows of a table between $start and $end in months in which no contract of the customer ran.
select $reason as reason, count(distinct customer_id) as customers, count(*) as rows
from {table} as events
where
    date between $start and $end
    and not exists (
        select 1
        from laid_out_months as there
        where
            there.customer_id = events.customer_id
            and there.month = date_trunc('month', events.date)
    )
