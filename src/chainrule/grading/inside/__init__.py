"""What runs on the student's side of the walls. Files for themselves: inside, nothing else of the kit is there."""
