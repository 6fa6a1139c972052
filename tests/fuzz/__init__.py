"""Fuzzing of what is untrusted: plans as people write them, and answers as networks give them.

``python -m fuzz plans 100000`` and ``python -m fuzz answers 100000`` (``make fuzz`` runs both); the tests run a few
hundred of each.
"""
