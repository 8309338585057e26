//! The layer, its service, and the future of a response.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::{Extensions, Request, Response, Uri};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::body::MeasuredBody;
use super::exchange::{Exchange, Outcome};
use super::{HttpMetrics, UNMATCHED, method_label};

/// Measures a service: see [`HttpMetrics::layer`].
#[derive(Clone, Copy, Debug)]
pub struct HttpLayer<F> {
    metrics: &'static HttpMetrics,
    route: F,
}

impl<F> HttpLayer<F> {
    pub(super) const fn new(metrics: &'static HttpMetrics, route: F) -> Self {
        Self { metrics, route }
    }
}

impl<S, F: Clone> Layer<S> for HttpLayer<F> {
    type Service = HttpService<S, F>;

    fn layer(&self, inner: S) -> HttpService<S, F> {
        HttpService { inner, metrics: self.metrics, route: self.route.clone() }
    }
}

/// A service that is measured.
#[derive(Clone, Copy, Debug)]
pub struct HttpService<S, F> {
    inner: S,
    metrics: &'static HttpMetrics,
    route: F,
}

impl<S, F, A, B> Service<Request<A>> for HttpService<S, F>
where
    S: Service<Request<A>, Response = Response<B>>,
    F: for<'a> Fn(&'a Uri, &'a Extensions) -> Option<&'a str>,
{
    type Response = Response<MeasuredBody<B>>;
    type Error = S::Error;
    type Future = MeasuredFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<A>) -> Self::Future {
        let route = (self.route)(request.uri(), request.extensions()).unwrap_or(UNMATCHED);
        let exchange = Exchange::start(self.metrics, method_label(request.method()), route);
        MeasuredFuture { inner: self.inner.call(request), exchange: Some(exchange) }
    }
}

pin_project! {
    /// The future of a measured response.
    #[derive(Debug)]
    pub struct MeasuredFuture<F> {
        #[pin]
        inner: F,
        // `None` once the body has it.
        exchange: Option<Exchange>,
    }
}

impl<F, B, E> Future for MeasuredFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<MeasuredBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let result = ready!(this.inner.poll(cx));
        let mut exchange = this.exchange.take();
        if let Some(exchange) = &mut exchange {
            exchange.outcome = match &result {
                Ok(response) => Outcome::Response(response.status()),
                Err(_) => Outcome::Failed,
            };
        }
        Poll::Ready(result.map(|response| response.map(|body| MeasuredBody::new(body, exchange))))
    }
}
