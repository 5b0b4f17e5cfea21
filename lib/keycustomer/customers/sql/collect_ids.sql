-- The ids of all tables that have them.
create table work.ids_{column} as
{parts}
