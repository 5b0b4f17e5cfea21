-- One row a product; the brand is the source's National or Private.
SELECT
    CAST(product_id AS VARCHAR) AS product_id,
    product_type AS name,
    product_category AS category,
    brand,
    file_row_number + 1 AS source_row
FROM read_parquet($products, file_row_number = true)
