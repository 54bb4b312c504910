"""Features of images, from k-means of their patches or from their gradients; no label enters."""
