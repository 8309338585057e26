//! Errors of the services.

use std::borrow::Cow;
use std::convert::Infallible;

use minicbor::{decode, encode};

/// An HTTP status with an error code and a message.
#[derive(Clone, Debug)]
pub(crate) struct ApiError {
    pub(crate) status: u16,
    pub(crate) code: Cow<'static, str>,
    pub(crate) message: String,
}

impl ApiError {
    /// An error that the client caused, with status 400.
    pub(crate) fn sender(code: &'static str, message: impl Into<String>) -> Self {
        Self { status: 400, code: Cow::Borrowed(code), message: message.into() }
    }

    /// An invalid parameter of `GetMetricData`.
    pub(crate) fn validation(message: impl Into<String>) -> Self {
        Self::sender("ValidationError", message)
    }

    /// An invalid parameter of the older operations.
    pub(crate) fn invalid_value(message: impl Into<String>) -> Self {
        Self::sender("InvalidParameterValue", message)
    }

    pub(crate) fn missing_parameter(parameter: &str) -> Self {
        Self::sender("MissingParameter", format!("The parameter {parameter} is required."))
    }

    pub(crate) fn invalid_combination(message: impl Into<String>) -> Self {
        Self::sender("InvalidParameterCombination", message)
    }

    pub(crate) fn invalid_token() -> Self {
        Self::sender("InvalidNextToken", "The token in the request is not valid.")
    }

    pub(crate) fn is_throttling(&self) -> bool {
        self.code.starts_with("Throttl") || self.status == 429
    }

    /// The value of `x-amzn-query-error`, for clients that expect the error codes of the former query protocol.
    pub(crate) fn query_error(&self) -> String {
        let fault = if self.status < 500 { "Sender" } else { "Receiver" };
        format!("{};{fault}", self.code)
    }

    /// The name of the error's Smithy shape, which can differ from the code of the query protocol.
    pub(crate) fn shape(&self) -> String {
        let shape = match self.code.as_ref() {
            "InvalidParameterValue" => "InvalidParameterValueException",
            "InvalidParameterCombination" => "InvalidParameterCombinationException",
            "MissingParameter" => "MissingRequiredParameterException",
            "InternalServiceError" => "InternalServiceFault",
            code => code,
        };
        format!("com.amazonaws.cloudwatch#{shape}")
    }
}

impl From<decode::Error> for ApiError {
    fn from(error: decode::Error) -> Self {
        Self::sender(
            "SerializationException",
            format!("the body is not the CBOR of this operation: {error}"),
        )
    }
}

impl From<encode::Error<Infallible>> for ApiError {
    fn from(error: encode::Error<Infallible>) -> Self {
        Self {
            status: 500,
            code: Cow::Borrowed("InternalServiceError"),
            message: error.to_string(),
        }
    }
}
