"""Certificates: upper bounds on the harm of any attack, their files and their verification."""
