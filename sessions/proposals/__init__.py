"""A language model of the account proposes a reading of what was not understood; a person takes it or not."""
