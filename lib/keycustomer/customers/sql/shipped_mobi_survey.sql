-- One row a respondent of the ECSI survey of users of mobile phones: every answer as the file has it.
SELECT
    *,
    row_number() OVER () AS source_row
FROM read_csv($survey, all_varchar = true, header = true, delim = ',', quote = '"')
