-- The columns of a staged source.
describe select * from {relation}
