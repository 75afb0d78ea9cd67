"""How good a reward a sentence is, before any training."""
