"""Tables of a report, and how HTML, CSV and LaTeX state them."""
