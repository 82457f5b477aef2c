"""Every write. Each is one guarded UPDATE and one event row in one transaction; the count is looked at."""
