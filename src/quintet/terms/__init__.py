"""The shared words: commodity, unit, quality, period, reading, and the tables that cross package borders."""
