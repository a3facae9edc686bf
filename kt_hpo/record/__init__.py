"""The record of a search: its trials, where they are kept, and what is read from them."""
