"""Reading: Calls, outcomes and labels as a pilot's evidence; whatever is wrong with them is named, none is guessed."""
