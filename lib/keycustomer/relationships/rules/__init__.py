"""Rules that sort customers: levels by table, types of relationship, quality, service promised."""
