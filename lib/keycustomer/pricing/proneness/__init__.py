"""Deal-proneness against elasticity and coupon redemptions (V5)."""
