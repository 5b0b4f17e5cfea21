-- One row a customer: the months the relationship has lasted, whether it has ended, and its terms. The file
-- knows no days.
SELECT
    CAST(rownames AS VARCHAR) AS customer_id,
    tenure,
    churn = 'Yes' AS ended,
    contract AS price_plan,
    rownames AS source_row
FROM wa_churn
