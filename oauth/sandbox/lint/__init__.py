"""What an integration does wrong, also where the provider lets it through."""
