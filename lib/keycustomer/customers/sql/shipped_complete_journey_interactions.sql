-- One row a contact: a campaign sent to a household, on its first day, or a coupon it redeemed.
WITH contacts AS (
    SELECT
        1 AS origin,
        campaigns.file_row_number AS row_number,
        CAST(household_id AS VARCHAR) AS customer_id,
        CAST(start_date AS DATE) AS date,
        'campaign' AS kind,
        'pre' AS phase
    FROM read_parquet($campaigns, file_row_number = true) AS campaigns
    INNER JOIN read_parquet($campaign_descriptions) AS descriptions USING (campaign_id)
    UNION ALL
    SELECT
        2,
        file_row_number,
        CAST(household_id AS VARCHAR),
        CAST(redemption_date AS DATE),
        'coupon redemption',
        'during'
    FROM read_parquet($coupon_redemptions, file_row_number = true)
)

SELECT
    customer_id,
    date,
    kind,
    phase,
    row_number() OVER (ORDER BY origin, row_number) AS source_row
FROM contacts
ORDER BY source_row
