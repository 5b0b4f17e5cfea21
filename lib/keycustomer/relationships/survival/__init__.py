"""Who stays how long, why customers leave, and what holds them: survival over tenure."""
