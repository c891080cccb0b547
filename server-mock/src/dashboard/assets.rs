//! The style sheet, the script and the icon: part of the program, so that nothing has to be found on disk.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;

use super::{guarded, refused};

pub(super) async fn answer(Path(file): Path<String>) -> Response {
    let (kind, text) = match file.as_str() {
        "style.css" => ("text/css; charset=utf-8", include_str!("style.css")),
        "dashboard.js" => (
            "text/javascript; charset=utf-8",
            include_str!("dashboard.js"),
        ),
        "icon.svg" => ("image/svg+xml", include_str!("icon.svg")),
        _ => return refused(StatusCode::NOT_FOUND, "there is no such file"),
    };
    guarded(([(CONTENT_TYPE, kind)], text).into_response())
}
