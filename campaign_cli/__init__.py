"""Social media campaigns from the terminal: plans in, posts out, once, provably."""
