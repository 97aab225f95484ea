//! One request over the browser's `fetch`, to the page's own server and nowhere else.

use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Headers, RequestCache, RequestCredentials, RequestInit, RequestRedirect, Response, window,
};

/// What came back.
pub struct Answered {
    /// Status of HTTP.
    pub status: u16,
    /// The whole body.
    pub text: String,
}

impl Answered {
    /// Whether the status is one of success.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// Sends a request and waits for the whole answer; `None` when no answer came. Nothing is cached, and an answer
/// that points elsewhere counts as none.
pub async fn fetch(
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Option<&str>,
) -> Option<Answered> {
    try_fetch(method, path, headers, body).await.ok()
}

async fn try_fetch(
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Option<&str>,
) -> Result<Answered, JsValue> {
    let sent = Headers::new()?;
    for (name, value) in headers {
        sent.set(name, value)?;
    }
    let init = RequestInit::new();
    init.set_method(method);
    init.set_headers_headers(&sent);
    init.set_cache(RequestCache::NoStore);
    init.set_credentials(RequestCredentials::SameOrigin);
    init.set_redirect(RequestRedirect::Error);
    if let Some(body) = body {
        init.set_body_opt_str(Some(body));
    }
    let window = window().ok_or(JsValue::NULL)?;
    let response: Response = JsFuture::from(window.fetch_with_str_and_init(path, &init))
        .await?
        .unchecked_into();
    let text = JsFuture::from(response.text()?).await?;
    Ok(Answered {
        status: response.status(),
        text: text.as_string().unwrap_or_default(),
    })
}
