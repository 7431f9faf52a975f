"""The consortium node: it admits members, sets the rules by vote, and judges disputes."""
