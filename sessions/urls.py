"""The portal's pages, as a table of contents."""

from django.urls import path

from sessions.views import (
    answers,
    catalogue,
    decisions,
    files,
    home,
    new,
    preference,
    problems,
    session,
    stream,
    uploads,
)

urlpatterns = [
    path("", home.home, name="home"),
    path("new/", new.new, name="new-session"),
    path("uploads/", uploads.upload, name="upload"),
    path("uploads/<str:token>/", uploads.card, name="upload-card"),
    path("uploads/<str:token>/problems.csv", uploads.problems, name="upload-problems"),
    path("models/", catalogue.models, name="models"),
    path("s/<str:public_id>/", session.page, name="session"),
    path("s/<str:public_id>/stream/", stream.stream, name="session-stream"),
    path("s/<str:public_id>/part/<str:name>/", session.part, name="session-part"),
    path("s/<str:public_id>/gates/<int:number>/decide/", decisions.decide, name="decide"),
    path("s/<str:public_id>/cancel/", decisions.cancel, name="cancel"),
    path("s/<str:public_id>/deployments/<int:number>/tear-down/", decisions.tear_down, name="tear-down"),
    path("s/<str:public_id>/problems/", problems.problems, name="session-problems"),
    path("s/<str:public_id>/comparison/", preference.comparison, name="session-comparison"),
    path("s/<str:public_id>/answers/", answers.answers, name="session-answers"),
    path("s/<str:public_id>/answers.csv", answers.answers_csv, name="session-answers-csv"),
    path("s/<str:public_id>/report/", files.report, name="report"),
    path("s/<str:public_id>/report.md", files.report_md, name="report-md"),
    path("s/<str:public_id>/scoreboard.csv", files.scoreboard_csv, name="scoreboard-csv"),
    path("s/<str:public_id>/files/<path:name>", files.artifact, name="artifact"),
]
