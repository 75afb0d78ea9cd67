"""What optimization does to a reward: the proxy rises, and the gold may not.

The proxy is the reward that is optimized, the gold the oracle's verdict on the same states.
"""
