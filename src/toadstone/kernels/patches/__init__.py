"""Features of images from k-means of their patches; no label enters."""
