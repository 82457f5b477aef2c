"""Addresses of the whole site; the portal's own pages are in `sessions.urls`."""

from django.contrib.auth import views as auth
from django.urls import include, path

from fwportal.health import healthz

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("login/", auth.LoginView.as_view(), name="login"),
    path("logout/", auth.LogoutView.as_view(), name="logout"),
    path("", include("sessions.urls")),
]
