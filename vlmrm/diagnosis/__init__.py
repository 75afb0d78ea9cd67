"""What a sentence is worth as a reward, before any training."""
