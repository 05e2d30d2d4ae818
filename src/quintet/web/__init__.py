"""The reading door for people: the HTTP API under /api/v1, its description, and the page of the city today."""
