"""What can be asked of signatures beyond the nearest ones: one module for each question."""
