"""Wire contracts and plumbing that every service uses; never business rules or a service's SQL."""
