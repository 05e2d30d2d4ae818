"""What a household is told of by itself: conditions, their evidence and what they cost, and telling people."""
