"""The network (sections 3.2 and 3.3): trunk, memory, attention, fusion, decoder."""
