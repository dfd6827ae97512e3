"""The application for any WSGI server: `gunicorn wsgi:app`, mod_wsgi, PythonAnywhere."""

from {{ cookiecutter.__package }}.production import create_production_app

app = application = create_production_app()
