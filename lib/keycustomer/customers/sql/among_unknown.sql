-- Condition: the id is one of those that other tables lack.
{column} in (select id from {relation})
