"""Live statistics of campaigns: rollups per minute, their API and the dashboard."""
