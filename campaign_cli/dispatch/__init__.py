"""The sender: claims what is due, sends it, settles it, and settles what stayed uncertain.

``retry`` decides, ``wire`` guards each request, ``sending`` sends one delivery, ``recovery`` settles a doubtful one,
``engine`` runs many of them, ``publish`` is one pass (or one night), ``clock`` runs for ever.
"""
