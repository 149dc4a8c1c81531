"""What training minimises: L1 and focal loss from logits (section 3.4)."""
