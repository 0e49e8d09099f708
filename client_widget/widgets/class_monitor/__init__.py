"""A live view of the class, for a teacher."""
