-- One row a receipt line of the complete journey.
-- sales_value is what the retailer receives, after its own loyalty and coupon-match discounts and
-- including what manufacturers reimburse for their coupons, and so the customer's worth to it; the
-- household itself pays coupon_disc less.
-- Shelf value is sales_value + retail_disc + coupon_match_disc. Sources store cents as doubles:
-- each is rounded, half away from zero, before it is added, so that sums are exact.
-- Time stamps are UTC; nothing is dropped here.
SELECT
    CAST(household_id AS VARCHAR) AS customer_id,
    CAST(basket_id AS VARCHAR) AS order_id,
    CAST(transaction_timestamp AS TIMESTAMP) AS date,
    CAST(product_id AS VARCHAR) AS product_id,
    CAST(quantity AS DECIMAL(18, 4)) AS quantity,
    CAST(round(sales_value, 4) AS DECIMAL(18, 4)) AS amount,
    CAST(
        CAST(round(sales_value, 4) AS DECIMAL(18, 4))
        + CAST(round(retail_disc, 4) AS DECIMAL(18, 4))
        + CAST(round(coupon_match_disc, 4) AS DECIMAL(18, 4))
        AS DECIMAL(18, 4)
    ) AS list_amount,
    file_row_number + 1 AS source_row
FROM read_parquet($transactions, file_row_number = true)
