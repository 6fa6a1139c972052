"""Signing in by OAuth 2, and keeping what it gave alive. The networks' facts are ``Platform.oauth``; nothing here is
about one network.

``flow`` signs in, ``loopback`` hears the browser come back, ``client`` asks the token's address, ``renewal`` renews in
time. Tokens are stored by ``campaign_cli.logins``.
"""
