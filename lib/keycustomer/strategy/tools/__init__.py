"""The six tools of strategic key-account marketing, switched on and off (T7)."""
