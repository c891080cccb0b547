//! Carries a request out: who asks, whether it is let in, and which operation answers.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use serde_json::json;

use super::preflight::preflight;
use crate::api_version::ApiVersion;
use crate::call::{Call, UploadEnd};
use crate::greeting::greeting;
use crate::key::{Identity, Unauthorized};
use crate::op::Op;
use crate::options::Auth;
use crate::reply::Reply;
use crate::{
    admission, batch, endpoints, events, files, jobs, login, oauth, openapi, problem, records,
    swagger_ui, upstream, usage, webhooks,
};

/// Carries a request out.
pub(super) async fn execute(call: &Call, latency: Duration) -> Reply {
    if let Op::Resource(..) | Op::Job(_) = call.op {
    } else if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    match call.op {
        Op::Health => return Reply::json(StatusCode::OK, &json!({ "status": "ok" })),
        Op::OpenApi => return openapi::respond(call),
        Op::Docs => return swagger_ui::respond(call),
        Op::Preflight => return preflight(call),
        Op::OAuth(op) => return oauth::respond(call, op).await,
        Op::Login(op) => return login::respond(call, op).await,
        Op::MethodNotAllowed if is_oauth(call.path()) => return wrong_method(call),
        Op::Unknown if !call.path().starts_with("/v1/") => return unknown_path(call),
        _ => {}
    }
    let identity = match identify(call) {
        Ok(identity) => identity,
        Err(why) => {
            let (problem, challenge) = problem::unauthorized(why);
            let reply = problem::challenged(call.problem(problem), challenge);
            return with_nonce(call, reply);
        }
    };
    call.noted.caller(&identity);
    if call.upload.end == UploadEnd::TooLarge {
        return too_large(call);
    }
    if let Some(scope) = call.op.scope().filter(|scope| !identity.has(scope)) {
        let (problem, challenge) = problem::insufficient_scope(scope);
        return problem::challenged(call.problem(problem), &challenge);
    }
    let admitted = match admission::admit(call, &identity).await {
        Ok(admitted) => admitted,
        Err(reply) => return *reply,
    };
    let mut reply = with_nonce(call, operate(call, &identity, latency).await);
    if let Some((headers, in_progress)) = admitted {
        reply.headers.extend(headers);
        reply.body.hold(Some(in_progress));
    }
    reply
}

/// The nonce for the next proof, where the session wants one (RFC 9449, section 8.2).
fn with_nonce(call: &Call, reply: Reply) -> Reply {
    if !call.parts.headers.contains_key("dpop") {
        return reply;
    }
    let options = Arc::clone(&call.world.state().options);
    if !options.oauth.dpop_nonce {
        return reply;
    }
    let nonce = oauth::nonce(options.seed, call.world.clock.now_ns());
    reply.with_text(oauth::DPOP_NONCE, nonce)
}

fn identify(call: &Call) -> Result<Identity, Unauthorized> {
    match &call.signature {
        Some(Err(flaw)) => return Err(Unauthorized::Signature(*flaw)),
        Some(Ok(signer)) if signer.in_authorization || call.credential.is_none() => {
            return Ok(signer.identity.clone());
        }
        _ => {}
    }
    let mut guard = call.world.state();
    let state = &mut *guard;
    match &call.credential {
        Some(token) if oauth::is_access_token(token) => {
            let access = oauth::holder(state, call, token)?;
            Ok(Identity {
                tenant: access.grant.tenant,
                tier: access.grant.tier,
                readonly: false,
                granted: Some(access.grant.scopes),
            })
        }
        Some(key) => state.tokens.identify(key, call.world.clock.now_ns()),
        None if state.options.auth == Auth::Off => Ok(Identity::anonymous()),
        None => Err(Unauthorized::Missing),
    }
}

async fn operate(call: &Call, identity: &Identity, latency: Duration) -> Reply {
    if let Err(problem) = ApiVersion::of(call) {
        return call.problem(problem);
    }
    let replied = match call.op {
        Op::Resource(kind, action) => {
            return records::respond(call, kind, action, identity, latency).await;
        }
        Op::Batch => return batch::respond(call, identity).await,
        Op::Job(op) => return jobs::respond(call, op, identity, latency).await,
        Op::Account | Op::Whoami => return endpoints::whoami(identity),
        Op::ProjectContacts => records::of_project(call, identity),
        Op::Usage => return usage::respond(call, identity),
        Op::Echo => return endpoints::echo(call),
        Op::Event(op) => return events::respond(call, op, identity),
        Op::File(op) => return files::respond(call, op, identity).await,
        Op::Webhook(op) => return webhooks::respond(call, op, identity).await,
        Op::Greeting => return greeting(call),
        Op::Sink => return endpoints::sink(call),
        Op::Upstream => return upstream::respond(call).await,
        Op::Bytes => endpoints::bytes(call).await,
        Op::Delay => endpoints::delay(call).await,
        Op::Drip => endpoints::drip(call),
        Op::Lines => endpoints::lines(call),
        Op::Ticks => endpoints::ticks(call),
        Op::Redirect => endpoints::redirect(call),
        Op::MethodNotAllowed => return wrong_method(call),
        Op::Docs
        | Op::Health
        | Op::Login(_)
        | Op::OAuth(_)
        | Op::OpenApi
        | Op::Preflight
        | Op::Unknown => {
            return unknown_path(call);
        }
    };
    replied.unwrap_or_else(|problem| call.problem(problem))
}

/// The authorization server and the login ask for no key, not even to say what is wrong with a method.
fn is_oauth(path: &str) -> bool {
    ["/oauth/", "/.well-known/", "/login/", "/logout"]
        .iter()
        .any(|prefix| path.starts_with(prefix))
}

fn wrong_method(call: &Call) -> Reply {
    let (problem, allow) =
        problem::method_not_allowed(call.parts.method.as_str(), call.route().allow);
    problem::allowing(call.problem(problem), allow)
}

fn unknown_path(call: &Call) -> Reply {
    call.problem(problem::not_found(format!(
        "there is nothing at {}",
        call.path()
    )))
}

fn too_large(call: &Call) -> Reply {
    let most = call.world.state().options.max_body_bytes;
    call.problem(
        problem::Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body_too_large",
            format!("a body has at most {most} bytes here"),
        )
        .with_member("max_body_bytes", most),
    )
}
