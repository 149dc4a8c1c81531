"""Published models as files: layout, manifest, aliases. The orchestrator writes them."""
