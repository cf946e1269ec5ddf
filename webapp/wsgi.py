"""What gunicorn serves."""

from webapp import create_app, observe
from webapp.settings import read_settings

settings = read_settings()
observe.begin(settings)
app = create_app(settings)
