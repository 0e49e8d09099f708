"""What a class shares: its clock, its log, its progress, and the teachers. No HTTP.

Begin with `class_service.py`.
"""
