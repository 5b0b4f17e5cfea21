"""Price elasticities: estimators, their identification and the truth beside them."""
