"""Events as SVG pictures. Each is a pure function: the same events give the same text."""
