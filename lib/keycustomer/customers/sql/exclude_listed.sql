-- Rows that were found by comparing, among those still there.
insert into work.{excluded}
select source_row, '{rule}'
from {remaining}
where source_row in (select source_row from {listed})
