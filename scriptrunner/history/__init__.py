"""What past runs measured, in the service's database or in files of their own."""
