"""What purchases tell of needs: the next category, the taste for deals."""
