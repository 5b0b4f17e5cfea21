-- One row an offer of a supplier of electricity in a task of a respondent. Cents a kilowatt-hour become USD a
-- megawatt-hour; offers of a price by time of day or by season state no price, and carry 0.
SELECT
    CAST(id AS VARCHAR) AS respondent_id,
    CAST(chid AS VARCHAR) AS task,
    CAST(alt AS VARCHAR) AS alternative,
    choice AS chosen,
    10 * pf AS price,
    cl AS contract_years,
    loc AS local_supplier,
    wk AS well_known,
    tod AS time_of_day,
    seas AS seasonal,
    row_number() OVER () AS source_row
FROM read_csv($choices, header = true, delim = ',')
