-- One row a car model in a year: share and price, its characteristics, and the instruments that came with the
-- data (sums of the characteristics of a firm's other models and of its rivals').
SELECT
    CAST(market_ids AS VARCHAR) AS market,
    CAST(car_ids AS VARCHAR) AS product,
    prices AS price,
    shares AS share,
    CAST(firm_ids AS VARCHAR) AS firm,
    clustering_ids AS model,
    region,
    hpwt AS horsepower_per_weight,
    air AS air_conditioning,
    mpd AS ten_miles_per_dollar,
    mpg AS ten_miles_per_gallon,
    space,
    trend,
    demand_instruments0,
    demand_instruments1,
    demand_instruments2,
    demand_instruments3,
    demand_instruments4,
    demand_instruments5,
    demand_instruments6,
    demand_instruments7,
    row_number() OVER () AS source_row
FROM read_csv($market, header = true, delim = ',')
