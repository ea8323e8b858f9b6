from services.analytics.app import create
from shared import logs
from shared.settings import ServiceSettings
from shared.web.service import serve

if __name__ == "__main__":
    settings = ServiceSettings()
    logs.configure(settings.log_level, "analytics")
    serve(create(settings), settings)
