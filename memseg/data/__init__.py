"""From folders of images to products: layouts, decoding, roles, textures. Never imports torch."""
