"""Purchase and dropout rates that depend on covariates of the customer."""
