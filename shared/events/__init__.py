"""Every event that crosses a service's border, as frozen pydantic models.

Models refuse unknown fields and wrong types. Readers of internal topics pass ``extra="ignore"``
when they validate (see ``shared.codec``), so that a newer writer does not stop an older reader.
"""
