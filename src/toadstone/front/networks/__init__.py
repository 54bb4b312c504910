"""Networks of the caller's: what they see of images, and what they are trained to."""
