"""Choices among offers: logit models, willingness to pay, designs of own studies."""
