"""What people see while commands and the workflow run."""
