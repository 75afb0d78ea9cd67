"""The Hugging Face hub: what it has, and downloads from it.

Three environment variables of its client apply: ``HF_ENDPOINT`` (a mirror), ``HF_TOKEN`` (for gated
models; tokens stored by other programs are not used), and ``HF_HUB_OFFLINE``. Every `UserError`
starts with the ``key`` of the model in the configuration.
"""
