//! Answers of the admin port wait for what they wrote, as those of the data port do.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::AdminError;
use crate::durable::Trouble;
use crate::gateway::Shared;

/// Holds an answer back until it is on disk.
pub(super) async fn settled(
    State(shared): State<Arc<Shared>>,
    request: Request,
    next: Next,
) -> Response {
    let reads = request.method().is_safe();
    let response = next.run(request).await;
    if reads {
        return response;
    }
    match shared.worlds.settled().await {
        Ok(()) => response,
        Err(trouble) => failed(&trouble).into_response(),
    }
}

/// The data file cannot be written or read.
pub(super) fn failed(trouble: &Trouble) -> AdminError {
    AdminError {
        status: match trouble {
            Trouble::Full(_) => StatusCode::INSUFFICIENT_STORAGE,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        },
        code: "storage_failed",
        detail: trouble.to_string(),
    }
}
