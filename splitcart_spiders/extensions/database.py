"""Which database a crawl writes to."""

from scrapy.settings import BaseSettings

from models.database.url import url_from


def url_of(settings: BaseSettings) -> str:
    """The database's URL as it was set. It is parsed when the run is opened, so that an error in it fails that run."""
    if url := settings.get("DATABASE_URL"):
        return str(url)
    home = settings.get("XDG_DATA_HOME")
    return url_from({"XDG_DATA_HOME": str(home)} if home else {})
