//! The language that a client wants to read, by its header `Accept-Language`.

use std::convert::Infallible;

use axum::Json;
use axum::extract::{FromRequestParts, Request};
use axum::http::header::{ACCEPT_LANGUAGE, CONTENT_LANGUAGE, VARY};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::problem;
use crate::words::Language;

/// JSON with words in this language.
pub(super) struct Spoken<T>(pub(super) Language, pub(super) T);

impl<T: Serialize> IntoResponse for Spoken<T> {
    fn into_response(self) -> Response {
        let headers: [(HeaderName, &str); 2] =
            [(CONTENT_LANGUAGE, self.0.tag()), (VARY, ACCEPT_LANGUAGE.as_str())];
        (headers, Json(self.1)).into_response()
    }
}

impl<S: Sync> FromRequestParts<S> for Language {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(asked(&parts.headers))
    }
}

/// Says problems in the client's language, wherever they come from.
pub(super) async fn translate(request: Request, next: Next) -> Response {
    let language = asked(request.headers());
    problem::translated(next.run(request).await, language)
}

/// The language that the client likes best of those we speak; English if it likes none.
/// <https://www.rfc-editor.org/rfc/rfc9110#section-12.5.4>
fn asked(headers: &HeaderMap) -> Language {
    let texts = headers.get_all(ACCEPT_LANGUAGE).iter().filter_map(|value| value.to_str().ok());
    let wishes = texts.flat_map(|text| text.split(',')).filter_map(wish);
    let best = wishes.fold(None, |best: Option<(Language, f32)>, wish| match best {
        Some(best) if best.1 >= wish.1 => Some(best),
        _ => Some(wish),
    });
    best.map(|(language, _)| language).unwrap_or_default()
}

/// `de-AT;q=0.8`: a language that we speak, and how much it is liked.
fn wish(text: &str) -> Option<(Language, f32)> {
    let (tag, weight) = text.split_once(';').unwrap_or((text, "q=1"));
    let weight: f32 =
        weight.trim().strip_prefix(['q', 'Q'])?.trim().strip_prefix('=')?.trim().parse().ok()?;
    let language = tag.trim().parse().ok()?;
    (weight > 0.0).then_some((language, weight))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn the_language_that_is_liked_best_is_spoken_and_english_to_everybody_else() {
        for (header, expected) in [
            ("de", Language::German),
            ("de-AT,de;q=0.9,en;q=0.8", Language::German),
            ("en-GB,en;q=0.9,de;q=0.8", Language::English),
            ("fr, de;q=0.3", Language::German),
            ("en;q=0.2, de;q=0.3", Language::German),
            ("de, en", Language::German),
            ("de;q=0", Language::English),
            ("de;q=x", Language::English),
            ("fr", Language::English),
            ("*", Language::English),
            ("", Language::English),
        ] {
            let headers = HeaderMap::from_iter([(ACCEPT_LANGUAGE, HeaderValue::from_static(header))]);
            assert_eq!(asked(&headers), expected, "{header}");
        }
        assert_eq!(asked(&HeaderMap::new()), Language::English);
    }
}
