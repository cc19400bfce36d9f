"""Rows of which tensor becomes which, expanded into exact lists; name patterns and operations with inverses."""
