"""Who leaves next: discrete-time churn models, how far they see, and whether they are right."""
