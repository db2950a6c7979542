"""The HTTP edge: from Chalice's request to one use case and back.

A view gets a `Call` and returns an answer (a model, or a status and a model). Errors are mapped
here, inside Chalice's route decorator, because its middleware never sees the exceptions of a view.
Bodies are read and checked here: size, JSON, model. The parameters of a path are decoded here.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import wraps
from typing import Any, TypeVar
from urllib.parse import unquote

from chalice.app import (
    Authorizer,
    Blueprint,
    CognitoUserPoolAuthorizer,
    IAMAuthorizer,
    Response,
)
from chalice.app import Request as ChaliceRequest
from pydantic import BaseModel, ValidationError

from chalicelib.api.operations import Operation
from chalicelib.api.page_policy import PAGE_POLICY
from chalicelib.api.problems import (
    cross_site,
    malformed_json,
    no_role,
    other_answer,
    other_type,
    problem_of,
    too_large,
    unexpected_problem,
    wrong_address,
)
from chalicelib.domain.addresses import Address, AddressError, suggestion
from chalicelib.domain.first_names import first_name
from chalicelib.domain.traces import network_of
from chalicelib.observability import count, failed, flushed, log
from chalicelib.services.errors import (
    FieldProblem,
    InvalidError,
    UnauthorisedError,
    UnknownError,
)
from chalicelib.services.ports import Failure, Ports

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True)
class Html:
    """A page as an answer; `scripted` where it is one of the pages, with their scripts."""

    text: str
    status: int = 200
    scripted: bool = False


@dataclass(frozen=True)
class Redirect:
    """An answer that is somewhere else; `to` is relative to the request's path."""

    to: str


@dataclass(frozen=True)
class Download:
    """A JSON file as an answer, which a browser saves under `name`."""

    name: str
    content: dict[str, Any]


@dataclass(frozen=True, repr=False)
class File:
    """A file of the type that the operation answers, which a browser may save under `name`."""

    name: str
    content: bytes


Reply = (
    BaseModel | dict[str, Any] | tuple[int, BaseModel] | Html | Redirect | Download | File | None
)
View = Callable[..., Reply]
Headers = dict[str, str | list[str]]

ORIGIN_KEY = "x-origin-key"  # a header that CloudFront sets, whatever a caller sends in it
MAX_PATH_PART = 200  # characters; a key of the table has at most 1 KB
MAX_PROBLEMS = 20  # per request: keeps the answer small for any input
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_JSON = {"Content-Type": "application/json"}
# A page of ours may be reached without the headers that CloudFront adds.
_HTML = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
}
_SCRIPTED = {**_HTML, "Content-Security-Policy": PAGE_POLICY}
_FIELD_NAME = re.compile(r"[a-z_]{1,40}")
_REASONS = {
    "missing": "missing",
    "extra_forbidden": "unknown_field",
    "string_too_long": "too_long",
    "string_too_short": "missing",
    "too_long": "too_many",
    "too_short": "too_few",
}


class Call:
    """One request, as views use it."""

    def __init__(self, request: ChaliceRequest, operation: Operation, ports: Ports) -> None:
        self._request = request
        self._operation = operation
        self.ports = ports
        self.correlations: list[str] = []

    def concerns(self, *correlations: str) -> None:
        """Set the invitations this request is about: each gets its own log line."""
        self.correlations += correlations

    def body(self, model: type[M]) -> M:
        """The body as a `model`. `RequestError` if it is not JSON, `InvalidError` with the wrong
        fields.
        """
        values = self._json()
        try:
            return model.model_validate(values)
        except ValidationError as error:
            raise InvalidError(field_problems(error)) from None

    def bearer(self) -> str:
        """The token of the `Authorization` header. `UnauthorisedError`."""
        scheme, _, token = self._request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token or len(token) > 200:
            raise UnauthorisedError("session")
        return str(token)

    def raw_body(self) -> bytes:
        """The body as it came, where any body is good."""
        body = self._request.raw_body
        return body.encode() if isinstance(body, str) else bytes(body)

    def header(self, name: str) -> str:
        """A header that a caller may leave out: empty then."""
        return str(self._request.headers.get(name, ""))

    def network(self) -> str | None:
        """The caller's network, which many share; None when unknown. The address itself is not
        handed on.

        Behind CloudFront, API Gateway sees CloudFront, which has written the caller last into
        `X-Forwarded-For`. Who calls the API directly may write anything there: as with any tunnel,
        they are then on some other network.
        """
        source = str((self._request.context.get("identity") or {}).get("sourceIp", ""))
        passed_on = [each.strip() for each in self.header("x-forwarded-for").split(",")]
        callers = [each for each in passed_on if each and each != source]
        return network_of(callers[-1] if callers else source)

    def account(self) -> str:
        """Who calls an ops route: the id of an account of the pool, never a name or an address."""
        return f"ops:{self._claims().get('sub', 'unknown')}"

    def _claims(self) -> Mapping[str, str]:
        """What the token says, which API Gateway has verified."""
        authorizer: Mapping[str, Any] = self._request.context.get("authorizer") or {}
        return authorizer.get("claims") or {}

    def check_role(self) -> None:
        """`RequestError` for an account of the pool in none of the groups that may do this."""
        roles = self._operation.roles
        # A list is handed on as one text, whose form nobody promises: `a,b` or `[a b]`.
        groups = re.split(r"[\s,]+", self._claims().get("cognito:groups", "").strip("[]"))
        if roles and not set(roles) & set(groups):
            raise no_role(roles)

    def idempotency_key(self) -> str | None:
        """The `Idempotency-Key` header, None without one."""
        key: str | None = self._request.headers.get("idempotency-key")
        if key is not None and not 1 <= len(key) <= 200:
            raise InvalidError([FieldProblem("Idempotency-Key", "wrong_length")])
        return key

    def check_size(self) -> None:
        """`RequestError` for a body larger than the operation allows."""
        limit_kb = self._operation.max_body_kb
        if self._operation.method == "POST" and len(self._request.raw_body) > limit_kb * 1024:
            raise too_large(limit_kb)

    def check_address(self, origin_key: str) -> None:
        """`RequestError` for what did not come by way of the pages' address."""
        if not hmac.compare_digest(self.header(ORIGIN_KEY).encode(), origin_key.encode()):
            raise wrong_address()

    def check_accept(self) -> None:
        """`RequestError` for a call that does not ask for the file it is answered with.

        API Gateway makes a file of the text that a function answers where the first type of
        `Accept` is the file's. To all others it would hand on that text.
        """
        media_type = self._operation.binary
        asked = self.header("accept").partition(",")[0].partition(";")[0].strip().lower()
        if media_type and asked != media_type:
            raise other_answer(media_type)

    def check_site(self) -> None:
        """`RequestError` for what the page of another site has a browser send.

        A browser asks nobody before it sends a POST without a type, or with that of a form: such a
        body is refused. It also says whose page it sends it for, and other callers do not.
        """
        if self._operation.acts_for_own_site and self.header("sec-fetch-site") == "cross-site":
            raise cross_site()
        if self._operation.takes_json_alone and self._request.raw_body and not self._is_json():
            raise other_type()

    def _is_json(self) -> bool:
        return self.header("content-type").split(";")[0].strip().lower().endswith("json")

    def _json(self) -> object:
        try:
            # UTF-8 only: `json` would detect other encodings.
            body = self._request.raw_body
            text = body if isinstance(body, str) else body.decode("utf-8-sig")
            return json.loads(text, parse_float=Decimal, parse_constant=_refuse_constant)
        except (ValueError, ArithmeticError, RecursionError):
            raise malformed_json() from None


class Edge:
    """Registers views of a blueprint for operations. `ports` is called once per request.

    With an `origin_key` its operations are called at the pages' address alone. CloudFront adds the
    key there; the API's own address would be a way round what limits each caller.
    """

    def __init__(
        self,
        blueprint: Blueprint,
        ports: Callable[[], Ports],
        origin_key: Callable[[], str] | None = None,
    ) -> None:
        self.blueprint = blueprint
        self._ports = ports
        self._origin_key = origin_key

    def serves(self, operation: Operation) -> Callable[[View], View]:
        """Make the decorated view the one that serves `operation`."""

        def registered(view: View) -> View:
            @wraps(view)
            def served(**path: str) -> Response:
                with flushed():
                    answer = self._answer(operation, view, path)
                if self.blueprint.current_request.method == "HEAD":
                    answer.body = ""
                return answer

            served.__name__ = operation.name
            route: Any = self.blueprint.route(
                operation.path,
                methods=list(operation.methods),
                name=operation.name,
                content_types=["*/*"],
                authorizer=_authorizer(operation),
            )
            route(served)
            return view

        return registered

    def _answer(self, operation: Operation, view: View, path: dict[str, str]) -> Response:
        request = self.blueprint.current_request
        try:
            call = Call(request, operation, self._ports())
            if self._origin_key is not None:
                call.check_address(self._origin_key())
            call.check_role()
            call.check_size()
            call.check_accept()
            call.check_site()
            response = _response(operation, view(call, **_decoded(path)))
        except Exception as error:
            headers = request.headers
            asked_for_page = operation.method == "GET" or "text/html" in headers.get("accept", "")
            if operation.html and asked_for_page:
                return _page_or_problem(operation, error, headers.get("accept-language", ""))
            return _problem(operation, error)
        correlations: list[str | None] = [*call.correlations]
        for correlation in correlations or [None]:
            log(
                "request",
                correlation=correlation,
                operation=operation.name,
                status=response.status_code,
            )
        return response


def _refuse_constant(constant: str) -> None:
    """Refuse NaN and infinities, which Python reads but JSON does not have."""
    raise ValueError(constant)


def _decoded(path: dict[str, str]) -> dict[str, str]:
    """The path's parameters, which API Gateway hands over as the caller has encoded them.

    Here alone they are decoded, once: `%2523` is the text `%23`, and a plus is a plus.
    `UnknownError` for what is no text, or too long to be a key. Tokens are hashed: any is one that
    is unknown at worst.
    """
    return {name: _decoded_part(name, part) for name, part in path.items()}


def _decoded_part(name: str, encoded: str) -> str:
    if name == "token":
        return unquote(encoded, errors="replace")
    if name == "link_code":  # What is no code has the page of one that there is not.
        return unquote(encoded, errors="replace")[:MAX_PATH_PART]
    try:
        part = unquote(encoded, errors="strict")
    except UnicodeDecodeError:
        raise UnknownError(name.replace("_", " ")) from None
    if len(part) > MAX_PATH_PART:
        raise UnknownError(name.replace("_", " "))
    return part


def _authorizer(operation: Operation) -> Authorizer | None:
    if operation.security == "client":
        return IAMAuthorizer()
    if operation.security == "ops":
        # The pool is a resource of the stack; the post-processor puts its ARN here.
        return CognitoUserPoolAuthorizer("OpsPool", provider_arns=["OpsPool"])
    return None


def _status(operation: Operation, reply: Reply) -> int:
    if isinstance(reply, Html):
        return reply.status
    return reply[0] if isinstance(reply, tuple) else next(iter(operation.answers))


def _response(operation: Operation, reply: Reply) -> Response:
    headers: dict[str, str]
    content: str | bytes | dict[str, Any]
    match reply:
        case Html():
            headers, content = (_SCRIPTED if reply.scripted else _HTML), reply.text
        case Redirect():
            headers, content = {"Referrer-Policy": "no-referrer", "Location": reply.to}, ""
        case Download():
            saved = {"Content-Disposition": f'attachment; filename="{reply.name}"'}
            headers, content = {**_JSON, **saved}, reply.content
        case File():
            saved = {"Content-Disposition": f'attachment; filename="{reply.name}"'}
            headers, content = {"Content-Type": str(operation.binary), **saved}, reply.content
        case None:
            headers, content = {}, ""
        case _:
            headers, content = _JSON, _json_of(reply)
    return Response(
        body=content, status_code=_status(operation, reply), headers={**_HEADERS, **headers}
    )


def _json_of(reply: BaseModel | dict[str, Any] | tuple[int, BaseModel]) -> dict[str, Any]:
    body = reply[1] if isinstance(reply, tuple) else reply
    return body.model_dump(mode="json") if isinstance(body, BaseModel) else body


def _problem(operation: Operation, error: Exception) -> Response:
    problem = problem_of(error)
    if problem is None:
        count("RequestFailed")
        failed(error, "request failed")
        problem = unexpected_problem()
    log("request", operation=operation.name, status=problem.status, problem=problem.type)
    headers: Headers = {**_HEADERS, "Content-Type": "application/problem+json"}
    if problem.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if problem.status >= 500:
        count("RequestNotServed")
    if problem.status == 503:
        headers["Retry-After"] = "30"
    return Response(
        body=problem.model_dump(mode="json", exclude_none=True),
        status_code=problem.status,
        headers=headers,
    )


def _page_or_problem(operation: Operation, error: Exception, accept_language: str) -> Response:
    """A failure as a page, in the language of who opened one; a refusal as for any operation."""
    problem = _problem(operation, error)
    if problem.status_code < 500:
        return problem
    from chalicelib.mails.pages import failure_page  # loads templates

    page = _response(operation, Html(failure_page(accept_language), status=503))
    page.headers["Retry-After"] = "30"
    return page


def field_problems(error: ValidationError) -> list[FieldProblem]:
    """What pydantic found wrong, by field, without the input."""
    found = error.errors(include_input=False, include_url=False)
    return [
        FieldProblem(_field(item["loc"]), _reason(item["type"])) for item in found[:MAX_PROBLEMS]
    ]


def _reason(kind: str) -> str:
    if kind in _REASONS:
        return _REASONS[kind]
    return "wrong_type" if kind.endswith(("_type", "_parsing")) else "invalid"


def _field(location: tuple[str | int, ...]) -> str:
    """`("referees", 0, "email")` as `referees[0].email`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{_name(part)}" for part in location)
    return text.removeprefix(".") or "body"


def not_handled(failure: Failure) -> None:
    """A line and a metric for what could not be handled while the rest was."""
    failed(failure.error, "not handled", kind=failure.kind, item=failure.name)
    count("NotHandled")


def _name(part: str) -> str:
    """A field's name, unless it is unusual: an unknown field may be named like an address."""
    return part if _FIELD_NAME.fullmatch(part) else "(unnamed)"


def address_in(field: str, text: str, *, as_typed: bool) -> Address | FieldProblem:
    """The address in a field, or its problem: invalid, or probably mistyped."""
    meant = suggestion(text)
    try:
        address = Address.parse(text)
    except AddressError as error:
        return FieldProblem(field, error.reason, meant)
    return FieldProblem(field, "probably_mistyped", meant) if meant and not as_typed else address


def accepted(address: Address | FieldProblem, *others: FieldProblem | None) -> Address:
    """The address, if there are no problems. `InvalidError` with all problems."""
    problems = [p for p in (address, *others) if isinstance(p, FieldProblem)]
    if problems or isinstance(address, FieldProblem):
        raise InvalidError(problems)
    return address


def name_problem(field: str, name: str | None) -> FieldProblem | None:
    """The problem of a first name; an empty one is allowed."""
    try:
        if name and name.strip():
            first_name(name)
    except ValueError as error:
        return FieldProblem(field, str(error))
    return None


def tidy_name(name: str | None) -> str | None:
    """The first name as it is stored; None for an empty one."""
    return first_name(name) if name and name.strip() else None
