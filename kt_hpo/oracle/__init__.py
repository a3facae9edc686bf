"""The oracle every engine is built on: its trials live in the record."""
