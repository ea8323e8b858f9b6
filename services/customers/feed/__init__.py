"""What CRM systems live on besides Kafka: webhooks, exports; and the erasure of customers."""
