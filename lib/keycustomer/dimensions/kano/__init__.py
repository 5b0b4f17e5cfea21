"""Which service attributes satisfy, which only prevent dissatisfaction: Kano and two-factor."""
