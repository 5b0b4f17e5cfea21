-- Could an id have a twin by blanks, by case, by leading zeros? If none can, no grouping is needed.
select
    bool_or(regexp_matches({column}, '[\s\pZ]')),
    bool_or({column} <> lower({column})) and bool_or({column} <> upper({column})),
    bool_or(starts_with({column}, '0'))
from {relation}
