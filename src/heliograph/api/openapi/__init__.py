"""The description of the HTTP surface, OpenAPI 3.1: what is written by hand in `areas`, and what is made of code."""
