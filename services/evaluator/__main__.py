from services.evaluator.app import create
from services.evaluator.settings import Settings
from shared import logs
from shared.web.service import serve

if __name__ == "__main__":
    settings = Settings()
    logs.configure(settings.log_level, "evaluator")
    serve(create(settings), settings)
