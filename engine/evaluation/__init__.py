"""Evaluation of encoders on labelled clips: metrics with intervals, pictures, and reports."""
