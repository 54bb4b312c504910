"""The front door: the public functions of `toadstone`, and the results that they return."""
