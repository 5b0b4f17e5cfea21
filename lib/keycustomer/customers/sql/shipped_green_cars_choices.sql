-- One row a car of which a household in California could take one. The labels electric and methanol are
-- swapped in the package (its electric cars pollute and drive far), and put right here.
SELECT
    CAST(car.rownames AS VARCHAR) AS respondent_id,
    '1' AS task,
    CAST(offer.position AS VARCHAR) AS alternative,
    car.choice = 'choice' || offer.position AS chosen,
    offer.price,
    CASE offer.fuel WHEN 'electric' THEN 'methanol' WHEN 'methanol' THEN 'electric' ELSE offer.fuel END AS fuel,
    offer.type AS body,
    offer.pollution,
    offer.range / 100 AS range_hundred_miles,
    offer.acceleration AS seconds_to_30_mph,
    offer.speed / 100 AS speed_hundred_mph,
    offer.size AS size_class,
    offer.space AS luggage_space,
    offer.cost AS cents_a_mile,
    offer.station AS stations,
    car.college AS college,
    car.coml5 AS short_commute,
    car.hsg2 AS large_household,
    row_number() OVER (ORDER BY car.rownames, offer.position) AS source_row
FROM car, LATERAL (
    VALUES
        (1, car.type1, car.fuel1, car.price1, car.range1, car.acc1, car.speed1, car.pollution1, car.size1, car.space1, car.cost1, car.station1),
        (2, car.type2, car.fuel2, car.price2, car.range2, car.acc2, car.speed2, car.pollution2, car.size2, car.space2, car.cost2, car.station2),
        (3, car.type3, car.fuel3, car.price3, car.range3, car.acc3, car.speed3, car.pollution3, car.size3, car.space3, car.cost3, car.station3),
        (4, car.type4, car.fuel4, car.price4, car.range4, car.acc4, car.speed4, car.pollution4, car.size4, car.space4, car.cost4, car.station4),
        (5, car.type5, car.fuel5, car.price5, car.range5, car.acc5, car.speed5, car.pollution5, car.size5, car.space5, car.cost5, car.station5),
        (6, car.type6, car.fuel6, car.price6, car.range6, car.acc6, car.speed6, car.pollution6, car.size6, car.space6, car.cost6, car.station6)
) AS offer(position, type, fuel, price, range, acceleration, speed, pollution, size, space, cost, station)
ORDER BY source_row
