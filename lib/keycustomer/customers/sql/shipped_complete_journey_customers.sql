-- One row a household that filled in the demographic survey (801 of the 2,469 that bought).
SELECT
    CAST(household_id AS VARCHAR) AS customer_id,
    age,
    income,
    home_ownership,
    marital_status,
    household_size,
    household_comp,
    kids_count,
    file_row_number + 1 AS source_row
FROM read_parquet($demographics, file_row_number = true)
