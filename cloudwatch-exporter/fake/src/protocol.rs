//! The three protocols of the services: finds the operation of a request, and encodes responses.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use http_body_util::{Either, Full};
use hyper::body::Frame;
use serde_json::json;

use crate::api_error::ApiError;
use crate::cbor;
use crate::operation::Operation;
use crate::sts;

const CLOUDWATCH_PATH: &str = "/service/GraniteServiceVersion20100801/operation/";
const TAGGING_TARGET_PREFIX: &str = "ResourceGroupsTaggingAPI_20170126.";
const PROTOCOL_HEADER: &str = "smithy-protocol";
const RPC_V2_CBOR: &str = "rpc-v2-cbor";

pub(crate) type Response = http::Response<Body>;
pub(crate) type Body = Either<Full<Bytes>, Endless>;

/// An endless body of zeros.
#[derive(Debug)]
pub(crate) struct Endless;

impl hyper::body::Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        static ZEROS: [u8; 65_536] = [0; 65_536];
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&ZEROS)))))
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Protocol {
    /// The protocol of CloudWatch.
    RpcV2Cbor,
    /// The protocol of STS: the request is a form, the response is XML.
    Query,
    /// The protocol of the tagging API.
    Json,
}

impl Protocol {
    pub(crate) fn of(operation: Operation) -> Self {
        match operation {
            Operation::ListMetrics | Operation::GetMetricData | Operation::GetMetricStatistics => {
                Self::RpcV2Cbor
            }
            Operation::AssumeRole
            | Operation::AssumeRoleWithWebIdentity
            | Operation::GetCallerIdentity => Self::Query,
            Operation::GetResources => Self::Json,
        }
    }

    fn from_content_type(headers: &HeaderMap) -> Self {
        match headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes) {
            Some(b"application/x-www-form-urlencoded") => Self::Query,
            Some(b"application/x-amz-json-1.1") => Self::Json,
            _ => Self::RpcV2Cbor,
        }
    }

    fn content_type(self) -> &'static str {
        match self {
            Self::RpcV2Cbor => "application/cbor",
            Self::Query => "text/xml",
            Self::Json => "application/x-amz-json-1.1",
        }
    }

    /// Replaces the token of a page.
    pub(crate) fn with_token(self, body: Vec<u8>, number: u64) -> Vec<u8> {
        let token = format!("endless.{number}");
        match self {
            Self::RpcV2Cbor => cbor::with_token(&body, &token).unwrap_or(body),
            Self::Json => match serde_json::from_slice::<serde_json::Value>(&body) {
                Ok(serde_json::Value::Object(mut page)) => {
                    page.insert("PaginationToken".to_owned(), token.into());
                    serde_json::Value::Object(page).to_string().into_bytes()
                }
                _ => body,
            },
            Self::Query => body,
        }
    }

    pub(crate) fn ok_response(self, body: Vec<u8>) -> Response {
        self.response(StatusCode::OK, body)
    }

    pub(crate) fn error_response(self, error: &ApiError) -> Response {
        let body = match self {
            Self::RpcV2Cbor => cbor::error(&error.shape(), &error.message),
            Self::Query => sts::error(error).into_bytes(),
            Self::Json => {
                json!({"__type": error.code, "message": error.message}).to_string().into_bytes()
            }
        };
        let status =
            StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = self.response(status, body);
        if let (Self::RpcV2Cbor, Ok(error)) = (self, HeaderValue::try_from(error.query_error())) {
            response.headers_mut().insert("x-amzn-query-error", error);
        }
        response
    }

    fn response(self, status: StatusCode, body: Vec<u8>) -> Response {
        let mut response = Response::new(Body::Left(Full::new(Bytes::from(body))));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.content_type()));
        headers.insert(
            "x-amzn-requestid",
            HeaderValue::from_static("00000000-0000-4000-8000-000000000000"),
        );
        if self == Self::RpcV2Cbor {
            headers.insert(PROTOCOL_HEADER, HeaderValue::from_static(RPC_V2_CBOR));
        }
        response
    }
}

/// The operation of a request, or the error for an invalid request.
pub(crate) fn operation(head: &Parts, body: &[u8]) -> Result<Operation, Box<Response>> {
    let protocol = Protocol::from_content_type(&head.headers);
    let action;
    let name = match (protocol, head.uri.path().strip_prefix(CLOUDWATCH_PATH)) {
        (Protocol::RpcV2Cbor, Some(name)) => {
            let has_header =
                |header, value: &str| head.headers.get(header).is_some_and(|given| given == value);
            Some(name).filter(|_| {
                has_header(PROTOCOL_HEADER, RPC_V2_CBOR)
                    && has_header("content-type", "application/cbor")
            })
        }
        (Protocol::Query, _) => {
            action = form_urlencoded::parse(body).find(|(key, _)| key == "Action");
            action.as_ref().map(|(_, value)| &**value)
        }
        (Protocol::Json, _) => {
            let target = head.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
            target.and_then(|target| target.strip_prefix(TAGGING_TARGET_PREFIX))
        }
        _ => None,
    };
    let mut operations =
        Operation::ALL.into_iter().filter(|operation| Protocol::of(*operation) == protocol);
    let operation = operations.find(|operation| Some(operation.name()) == name);
    operation.filter(|_| head.method == Method::POST).ok_or_else(|| {
        let message = format!("{} {} is no operation of this fake", head.method, head.uri.path());
        Box::new(protocol.error_response(&ApiError {
            status: 404,
            code: "UnknownOperationException".into(),
            message,
        }))
    })
}
