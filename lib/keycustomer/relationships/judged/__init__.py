"""Plans of relationship levels judged by what they truly bring in the simulated company."""
