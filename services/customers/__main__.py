from services.customers.app import create
from services.customers.settings import Settings
from shared import logs
from shared.web.service import serve

if __name__ == "__main__":
    settings = Settings()
    logs.configure(settings.log_level, "customers")
    serve(create(settings), settings)
