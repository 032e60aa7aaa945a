"""What is kept of people: profiles, and how it is taken away again."""
