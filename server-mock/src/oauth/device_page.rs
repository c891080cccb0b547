//! The page where the test user decides about a device (RFC 8628, section 3.3).

use http::{Method, StatusCode};

use crate::call::Call;
use crate::oauth::authorize::refused;
use crate::oauth::device::Decision;
use crate::oauth::form::Form;
use crate::oauth::{escaped, page};
use crate::reply::Reply;

/// `GET` shows a form for the code, `POST` with `user_code` and `decision` decides.
pub(crate) fn device_page(call: &Call) -> Reply {
    let asked = Form::of_query(call).unwrap_or_else(|_| Form::empty());
    if call.parts.method != Method::POST {
        let code = escaped(asked.get("user_code").unwrap_or_default());
        let body = format!(
            "<form method=\"post\"><input name=\"user_code\" value=\"{code}\">\
             <button name=\"decision\" value=\"approve\">Approve</button>\
             <button name=\"decision\" value=\"deny\">Deny</button></form>"
        );
        return page(StatusCode::OK, "Connect a device", &body);
    }
    let form = match Form::of_body(call) {
        Ok(form) => form,
        Err(error) => return refused(&error.description),
    };
    let decision = match form.get("decision") {
        Some("approve") => Decision::Approved,
        _ => Decision::Denied,
    };
    let code = form.get("user_code").unwrap_or_default();
    let now_ns = call.world.clock.now_ns();
    if call
        .world
        .state()
        .oauth
        .devices
        .decide(code, decision, now_ns)
    {
        page(StatusCode::OK, "Done", "<p>You may close this page.</p>")
    } else {
        refused("this code is not known, or was decided already")
    }
}
