"""A class whose every score is known beforehand, graded, and compared item by item."""
