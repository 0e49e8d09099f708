"""The protocol: what is sent, what follows from each answer, and the tokens. No I/O."""
