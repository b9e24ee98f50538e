//! One call to Ashby's API: all are POST, and most errors come as HTTP 200.

use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::Instant;

use super::super::api::{Api, ApiError};
use super::super::fit_for_log;
use super::super::json::shaped;

/// Asks, and reads the results in the shape that is wanted.
///
/// # Errors
/// [`ApiError`]
pub(super) async fn ask<T: DeserializeOwned>(
    api: &Api,
    call: &str,
    body: &Value,
    deadline: Instant,
) -> Result<T, ApiError> {
    let results = results(api.post_json(call, body, deadline).await?)?;
    shaped(&results).map_err(|_| ApiError::Unreadable)
}

/// Ashby reports errors as HTTP 200 with `success: false`; its codes are stable, its words are not.
pub(super) fn results(mut answer: Value) -> Result<Value, ApiError> {
    if answer["success"] == true {
        return Ok(answer["results"].take());
    }
    let code = answer.pointer("/errorInfo/code").or(answer.pointer("/errors/0")).and_then(Value::as_str);
    match code {
        Some(code) => Err(ApiError::Refused(fit_for_log(code))),
        None if answer["success"] == false => Err(ApiError::Refused("unnamed".to_owned())),
        None => Err(ApiError::Unreadable),
    }
}
