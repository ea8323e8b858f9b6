"""Kafka, PostgreSQL and the services on one machine, supervised."""
