"""Fetching from the web, against a site on loopback: there is no other here."""
