//! Request bodies: read within their limits, and read on when nobody wanted them.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::middleware::Next;
use axum::response::Response;
use http_body_util::BodyExt as _;
use hyper::body::{Frame, SizeHint};

use super::overload::Room;
use crate::error::ApiError;

/// How long, and how much of, a body that nobody wants is read on.
const DRAIN_TIME: Duration = Duration::from_secs(5);
const DRAIN_BYTES: usize = 64 << 20;

/// A body of which what is left unread when it is dropped is read on.
///
/// A request can be answered before its body was read, for example when its token is bad. Closing
/// the connection then would throw the answer away under the client's feet, which is still sending
/// and reads "connection reset" in place of 401. So the rest is read in the background, within
/// limits, while the answer is on its way.
struct Drained(Option<Body>);

/// Has the rest of every request's body read on.
pub(super) async fn drain_unread(request: Request, next: Next) -> Response {
    next.run(request.map(|body| Body::new(Drained(Some(body)))))
        .await
}

impl HttpBody for Drained {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        match self.0.as_mut() {
            Some(body) => Pin::new(body).poll_frame(context),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.0.as_ref().map(HttpBody::size_hint).unwrap_or_default()
    }
}

impl Drop for Drained {
    fn drop(&mut self) {
        let Some(body) = self.0.take() else { return };
        if body.is_end_stream() {
            return;
        }
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(tokio::time::timeout(DRAIN_TIME, drain(body)));
        }
    }
}

async fn drain(mut body: Body) {
    let mut drained = 0;
    while let Some(Ok(frame)) = body.frame().await {
        drained += frame.data_ref().map_or(0, Bytes::len);
        if drained > DRAIN_BYTES {
            return;
        }
    }
}

/// Reads a body that is JSON, into room that it takes bit by bit. It is not looked into yet.
///
/// # Errors
/// 415, 413, 503 or 400, in this order.
pub(super) async fn json(
    headers: &HeaderMap,
    body: Body,
    limit: usize,
    room: &mut Room,
) -> Result<Vec<u8>, ApiError> {
    if !is_json(headers) {
        return Err(ApiError::UnsupportedMediaType {
            expected: "application/json",
        });
    }
    read(headers, body, limit, room).await
}

/// Reads a body that is a picture, of whatever kind it is declared as: what it is, its bytes tell.
///
/// # Errors
/// 415, 413, 503 or 400, in this order.
pub(super) async fn picture(
    headers: &HeaderMap,
    body: Body,
    limit: usize,
    room: &mut Room,
) -> Result<Vec<u8>, ApiError> {
    if !essence(headers).is_some_and(|essence| essence.starts_with("image/")) {
        return Err(ApiError::UnsupportedMediaType {
            expected: "image/jpeg, image/png or image/webp",
        });
    }
    read(headers, body, limit, room).await
}

/// Copies the pieces together as they come: kept, a million small ones would take a multiple of what
/// they hold.
async fn read(
    headers: &HeaderMap,
    mut body: Body,
    limit: usize,
    room: &mut Room,
) -> Result<Vec<u8>, ApiError> {
    let announced = announced(headers);
    if announced.is_some_and(|length| length > limit) {
        return Err(ApiError::PayloadTooLarge { limit });
    }
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        // The client broke off; it will hardly read the answer.
        let frame = frame.map_err(|_| ApiError::BadRequest)?;
        let Some(data) = frame.data_ref() else {
            continue;
        };
        if bytes.len() + data.len() > limit {
            return Err(ApiError::PayloadTooLarge { limit });
        }
        room.grow(data.len())?;
        if bytes.is_empty() {
            // What is announced is within the limit, and may be a lie: not before something came.
            bytes.reserve(announced.unwrap_or(0));
        }
        bytes.extend_from_slice(data);
    }
    Ok(bytes)
}

fn announced(headers: &HeaderMap) -> Option<usize> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// `application/json` and `application/…+json`, with any parameters.
fn is_json(headers: &HeaderMap) -> bool {
    let essence = essence(headers).unwrap_or_default();
    match essence.strip_prefix("application/") {
        Some("json") => true,
        Some(subtype) => subtype.len() > "+json".len() && subtype.ends_with("+json"),
        None => false,
    }
}

/// The media type without its parameters, in lower case.
fn essence(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    Some(value.split(';').next()?.trim().to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn json_is_known_by_its_media_type_alone() {
        for (value, json) in [
            ("application/json", true),
            ("Application/JSON; charset=utf-8", true),
            ("application/vnd.api+json", true),
            ("application/+json", false),
            ("application/jsonp", false),
            ("text/json", false),
            ("multipart/form-data", false),
            ("", false),
        ] {
            let headers = [(CONTENT_TYPE, HeaderValue::from_static(value))]
                .into_iter()
                .collect();
            assert_eq!(is_json(&headers), json, "{value}");
        }
        assert!(!is_json(&HeaderMap::new()));
    }
}
