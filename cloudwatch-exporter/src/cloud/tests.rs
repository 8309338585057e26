//! Clients for tests.

use std::sync::{Arc, Mutex};

use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_cloudwatch::config::{Credentials, SharedHttpClient};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;

use super::{Cloud, http};

impl Cloud {
    /// A client for this endpoint, independent of the environment.
    pub(crate) async fn with_endpoint(url: &str) -> Self {
        Self::new(
            &sdk(url, http::client(true)).await,
            "eu-west-1".to_owned(),
            "test".to_owned(),
            false,
            64,
        )
    }
}

async fn sdk(url: &str, client: SharedHttpClient) -> SdkConfig {
    aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(client)
        .region(Region::new("eu-west-1"))
        .credentials_provider(Credentials::new("AKIATEST", "x", None, None, "test"))
        .retry_config(RetryConfig::disabled())
        .endpoint_url(url)
        .load()
        .await
}

/// A client that gets this response to every call.
pub(crate) async fn with_response(status: u16, body: Arc<[u8]>) -> Cloud {
    let connector = SharedHttpConnector::new(FixedResponse(status, body));
    let client = http_client_fn(move |_, _| connector.clone());
    Cloud::new(
        &sdk("http://127.0.0.1:1", client).await,
        "eu-west-1".to_owned(),
        "test".to_owned(),
        false,
        64,
    )
}

#[derive(Debug)]
struct FixedResponse(u16, Arc<[u8]>);

impl HttpConnector for FixedResponse {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = SdkBody::from(self.1.to_vec());
        let status = StatusCode::try_from(self.0).unwrap();
        let mut response = HttpResponse::new(status, body);
        if request.uri().contains("/operation/") {
            response.headers_mut().insert("smithy-protocol", "rpc-v2-cbor");
        }
        HttpConnectorFuture::ready(Ok(response))
    }
}

/// Records the bodies of all responses.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recorder(Arc<Mutex<Vec<Vec<u8>>>>);

impl Recorder {
    pub(crate) async fn client(&self, url: &str) -> Cloud {
        let (inner, recorder) = (http::client(true), self.clone());
        let client = http_client_fn(move |settings, components| {
            use aws_smithy_runtime_api::client::http::HttpClient as _;
            let connector = inner.http_connector(settings, components);
            SharedHttpConnector::new(Recording(connector, recorder.clone()))
        });
        Cloud::new(&sdk(url, client).await, "eu-west-1".to_owned(), "test".to_owned(), false, 64)
    }

    pub(crate) fn responses(&self) -> Vec<Vec<u8>> {
        self.0.lock().unwrap().clone()
    }
}

#[derive(Debug)]
struct Recording(SharedHttpConnector, Recorder);

impl HttpConnector for Recording {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (response, recorder) = (self.0.call(request), self.1.clone());
        HttpConnectorFuture::new(async move {
            let response = response.await?;
            // The client has read the complete body.
            recorder.0.lock().unwrap().push(response.body().bytes().unwrap().to_vec());
            Ok(response)
        })
    }
}
