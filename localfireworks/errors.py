"""Errors of both halves of the API (fireworks-api.md, 1.5 and 1.6)."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

# gRPC status name: (gRPC number, HTTP status).
CODES = {
    "CANCELLED": (1, 499),
    "UNKNOWN": (2, 500),
    "INVALID_ARGUMENT": (3, 400),
    "DEADLINE_EXCEEDED": (4, 504),
    "NOT_FOUND": (5, 404),
    "ALREADY_EXISTS": (6, 409),
    "PERMISSION_DENIED": (7, 403),
    "RESOURCE_EXHAUSTED": (8, 429),
    "FAILED_PRECONDITION": (9, 400),
    "ABORTED": (10, 409),
    "OUT_OF_RANGE": (11, 400),
    "UNIMPLEMENTED": (12, 501),
    "INTERNAL": (13, 500),
    "UNAVAILABLE": (14, 503),
    "DATA_LOSS": (15, 500),
    "UNAUTHENTICATED": (16, 401),
}
BY_HTTP = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 404: "NOT_FOUND", 405: "UNIMPLEMENTED"}
INFERENCE_PREFIXES = ("/inference/", "/v1/chat/", "/v1/completions", "/v1/models")


class ApiError(Exception):
    """A control-plane refusal: gRPC status name, message, and a reason for machines where there is one."""

    def __init__(self, status: str, message: str, *, reason: str = "", **metadata: str) -> None:
        super().__init__(message)
        self.status, self.message, self.reason, self.metadata = status, message, reason, metadata

    def body(self) -> dict[str, Any]:
        """`{code, message, details}`, with an ErrorInfo detail when a reason is known."""
        details: list[dict[str, Any]] = []
        if self.reason:
            info = "type.googleapis.com/google.rpc.ErrorInfo"
            details.append(
                {
                    "@type": info,
                    "reason": self.reason,
                    "domain": "training.fireworks.ai",
                    "metadata": {"version": "1", "source": "managed", **self.metadata},
                }
            )
        return {"code": CODES[self.status][0], "message": self.message, "details": details}


class InferenceError(Exception):
    """An inference refusal: HTTP status, code word, message, and the parameter at fault."""

    def __init__(self, http: int, code: str, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.http, self.code, self.message, self.param = http, code, message, param

    def body(self) -> dict[str, Any]:
        """`{"error": {message, code, type, param?}}`."""
        error = {"message": self.message, "code": self.code, "type": "error"}
        return {"error": error | ({"param": self.param} if self.param else {})}


def invalid(message: str, *, reason: str = "") -> ApiError:
    return ApiError("INVALID_ARGUMENT", message, reason=reason)


def precondition(message: str) -> ApiError:
    return ApiError("FAILED_PRECONDITION", message)


def not_found(name: str) -> ApiError:
    return ApiError("NOT_FOUND", f"{name} not found")


def already_exists(name: str) -> ApiError:
    return ApiError("ALREADY_EXISTS", f"{name} already exists")


def is_inference(path: str) -> bool:
    """Whether the path belongs to the inference half, whose errors have their own form."""
    return path.startswith(INFERENCE_PREFIXES)


def first_fault(error: ValidationError) -> tuple[str, str]:
    """Field path and message of the first fault pydantic found."""
    fault = error.errors(include_url=False, include_input=False)[0]
    return ".".join(str(part) for part in fault["loc"]), fault["msg"]


async def on_api_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)  # noqa: S101 - tells the type checker what Starlette promises
    return JSONResponse(error.body(), CODES[error.status][1])


async def on_inference_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, InferenceError)  # noqa: S101
    return JSONResponse(error.body(), error.http)


async def on_validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, ValidationError)  # noqa: S101
    field, message = first_fault(error)
    if is_inference(request.url.path):
        return await on_inference_error(
            request, InferenceError(400, "INVALID_ARGUMENT", f"{field}: {message}", field)
        )
    return await on_api_error(request, invalid(f"invalid value for {field or 'body'}: {message}"))


async def on_http_error(request: Request, error: Exception) -> Response:
    """Unknown path or method, in the form of the half of the API it was asked of."""
    assert isinstance(error, HTTPException)  # noqa: S101
    status = BY_HTTP.get(error.status_code, "UNKNOWN")
    if is_inference(request.url.path):
        body = InferenceError(error.status_code, status, error.detail).body()
    else:
        body = ApiError(status, error.detail).body()
    return JSONResponse(body, error.status_code, headers=error.headers)


async def on_crash(request: Request, _: Exception) -> Response:
    """A fault of ours: said in the API's form, and logged by the server with its trace."""
    if is_inference(request.url.path):
        return JSONResponse(InferenceError(500, "INTERNAL", "Internal error").body(), 500)
    return JSONResponse(ApiError("INTERNAL", "Internal error").body(), 500)


HANDLERS: dict[Any, Any] = {
    ApiError: on_api_error,
    InferenceError: on_inference_error,
    ValidationError: on_validation_error,
    HTTPException: on_http_error,
    Exception: on_crash,
}
