"""Fuzzing of what is untrusted: plans as people write them with what lies beside them, answers as networks give them,
and requests as anybody may send them to the stage.

``python -m fuzz plans 100000``, ``python -m fuzz answers 100000`` and ``python -m fuzz requests 100000`` (``make fuzz``
runs all three); the tests run a few hundred of each.
"""
