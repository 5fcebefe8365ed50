"""From nouns to documents, one module a report."""
