from services.analytics.app import create
from services.analytics.settings import Settings
from shared import logs
from shared.web.service import serve

if __name__ == "__main__":
    settings = Settings()
    logs.configure(settings.log_level, "analytics")
    serve(create(settings), settings)
