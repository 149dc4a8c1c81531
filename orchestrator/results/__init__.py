"""RESULTS.md, written from small result files under results/, never by hand."""
