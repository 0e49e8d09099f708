"""What a class shares: its clock, its log, its progress, and the teachers."""
