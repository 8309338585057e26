//! Errors as the service sends them.

use std::borrow::Cow;
use std::convert::Infallible;

use minicbor::{decode, encode};

/// An HTTP status with a code that clients know and a sentence for people.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) code: Cow<'static, str>,
    pub(crate) message: String,
}

impl Refusal {
    pub(crate) fn sender(code: &'static str, message: impl Into<String>) -> Self {
        Self { status: 400, code: Cow::Borrowed(code), message: message.into() }
    }

    /// How `GetMetricData` refuses its parameters.
    pub(crate) fn validation(message: impl Into<String>) -> Self {
        Self::sender("ValidationError", message)
    }

    /// How the older operations refuse their parameters.
    pub(crate) fn value(message: impl Into<String>) -> Self {
        Self::sender("InvalidParameterValue", message)
    }

    pub(crate) fn missing(parameter: &str) -> Self {
        Self::sender("MissingParameter", format!("The parameter {parameter} is required."))
    }

    pub(crate) fn combination(message: impl Into<String>) -> Self {
        Self::sender("InvalidParameterCombination", message)
    }

    pub(crate) fn token() -> Self {
        Self::sender("InvalidNextToken", "The token in the request is not valid.")
    }

    pub(crate) fn is_throttling(&self) -> bool {
        self.code.starts_with("Throttl") || self.status == 429
    }

    /// What the header of clients that once spoke the query protocol says.
    pub(crate) fn query_error(&self) -> String {
        let fault = if self.status < 500 { "Sender" } else { "Receiver" };
        format!("{};{fault}", self.code)
    }

    /// The name of the shape, which is not always the code of the query protocol.
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

impl From<decode::Error> for Refusal {
    fn from(error: decode::Error) -> Self {
        Self::sender(
            "SerializationException",
            format!("the body is not the CBOR of this operation: {error}"),
        )
    }
}

impl From<encode::Error<Infallible>> for Refusal {
    fn from(error: encode::Error<Infallible>) -> Self {
        Self {
            status: 500,
            code: Cow::Borrowed("InternalServiceError"),
            message: error.to_string(),
        }
    }
}
