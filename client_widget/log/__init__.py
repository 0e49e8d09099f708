"""The event log: the only record of what happened, its sentences and its exports."""
