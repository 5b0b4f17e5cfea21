-- The first and the last day of a table.
select min("{column}"), max("{column}") from {remaining}
