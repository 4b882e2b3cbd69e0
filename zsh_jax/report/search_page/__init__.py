"""The search page of a sweep: one HTML file that searches its images by their codes, in the browser."""
