"""Kano classes and penalty-reward contrasts: which attributes only dissatisfy or delight."""
