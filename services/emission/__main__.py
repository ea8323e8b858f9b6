from services.emission.app import EmissionSettings, compose
from shared import logs
from shared.web.service import serve


def main() -> None:
    """Serve until told to stop."""
    settings = EmissionSettings()
    logs.configure(settings.log_level, "emission")
    serve(compose(settings), settings)


if __name__ == "__main__":
    main()
