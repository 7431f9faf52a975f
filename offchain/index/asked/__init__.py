"""What is asked of the tables, one module a subject. All questions are of one block: `newest`,
`final` or any other are the same query.
"""
