"""A local page on which people find the sentence that a model rewards as they mean it."""
