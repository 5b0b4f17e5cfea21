-- One row a brand on a shopping trip of a household: its price, whether it was featured in the paper, and
-- whether it was bought. Cents an ounce become USD a pound.
SELECT
    CAST(yogurt.id AS VARCHAR) AS respondent_id,
    CAST(yogurt.rownames AS VARCHAR) AS task,
    offer.brand AS alternative,
    yogurt.choice = offer.brand AS chosen,
    round(0.16 * offer.price, 6) AS price,
    CAST(offer.feature AS INTEGER) AS feature,
    row_number() OVER (ORDER BY yogurt.rownames, offer.position) AS source_row
FROM yogurt, LATERAL (
    VALUES
        (1, 'yoplait', yogurt."price.yoplait", yogurt."feat.yoplait"),
        (2, 'dannon', yogurt."price.dannon", yogurt."feat.dannon"),
        (3, 'hiland', yogurt."price.hiland", yogurt."feat.hiland"),
        (4, 'weight', yogurt."price.weight", yogurt."feat.weight")
) AS offer(position, brand, price, feature)
ORDER BY source_row
