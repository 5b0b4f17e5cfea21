-- No candidates, no repeated lines.
create or replace table work.repeated_lines (source_row bigint, first_row bigint)
