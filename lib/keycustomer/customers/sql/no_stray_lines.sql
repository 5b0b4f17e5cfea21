-- Without order ids no line can stray.
create or replace table work.stray_lines (source_row bigint)
