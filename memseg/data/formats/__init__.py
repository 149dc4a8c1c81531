"""Image files looked at before they are decoded: is the whole picture there, how large is it?"""
