-- One row a customer of the fictional telephone company: every column as the file has it. An add-on that
-- cannot be had for want of telephone or internet says so in its answer, and is kept as it is.
SELECT
    CAST(rownames AS VARCHAR) AS customer_id,
    * EXCLUDE (rownames, tenure, churn, contract),
    rownames AS source_row
FROM wa_churn
