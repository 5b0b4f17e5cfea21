-- Rows taken out so far.
select count(*) from work.{excluded}
