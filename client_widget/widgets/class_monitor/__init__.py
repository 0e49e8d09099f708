"""The class live, for a teacher."""
