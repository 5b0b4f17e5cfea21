"""Service, complaints and contacts: what they are by tier, and what they do to who stays."""
