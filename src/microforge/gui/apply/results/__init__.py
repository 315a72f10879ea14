"""What can be done with results: see, count, compare, correct and save them; a module for each kind of answer."""
