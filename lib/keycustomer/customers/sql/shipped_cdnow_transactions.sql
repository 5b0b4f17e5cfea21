-- One row a purchase of the CDNOW cohort: fields are parted by blanks, ids keep their zeros.
WITH lines AS (
    SELECT
        row_number() OVER () AS source_row,
        string_split_regex(trim(line), '\s+') AS field
    FROM read_csv(
        $transactions,
        columns = {line: 'VARCHAR'},
        auto_detect = false, header = true, delim = '|', quote = '', escape = ''
    )
)

SELECT
    field[1] AS customer_id,
    CAST(strptime(field[2], '%Y%m%d') AS DATE) AS date,
    CAST(field[3] AS DECIMAL(18, 4)) AS quantity,
    CAST(field[4] AS DECIMAL(18, 4)) AS amount,
    source_row
FROM lines
