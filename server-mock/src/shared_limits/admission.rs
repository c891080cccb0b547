//! Lets calls of the data port in by a shared store, or, while it is away, as the fail mode says.

use std::sync::Arc;

use http::header::RETRY_AFTER;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::{LimitsFail, SharedLimits, StoreAway};
use crate::call::Call;
use crate::key::Identity;
use crate::limiter::{LimitedCall, Limiter, Report, Shown};
use crate::options::Options;
use crate::problem::{self, Problem, REDUCED_CAPACITY};
use crate::quota::{InProgress, Refusal};
use crate::records;
use crate::reply::Reply;
use crate::world::State;

/// Says that the limits of this answer are not the store's.
const LIMITS: HeaderName = HeaderName::from_static("x-mock-limits");
const AWAY: &str = "the store of limits cannot be reached";

type Decided = (Report, Result<InProgress, Refusal>);

/// The limit headers of an answer and the call's place; nothing where nothing is limited.
pub(crate) async fn admit(
    call: &Call,
    identity: &Identity,
    shared: &SharedLimits,
) -> Result<Option<(HeaderMap, InProgress)>, Box<Reply>> {
    let now_ns = call.world.clock.now_ns();
    let caller = caller(&call.world.name, &identity.tenant, identity.tier.name());
    let limited = LimitedCall {
        op: call.op.name(),
        path: call.path(),
        tenant: &identity.tenant,
        credential: call.credential.as_deref().unwrap_or_default(),
        body_bytes: call.upload.length,
        tokens: call.number_in_header("x-mock-tokens"),
    };
    let asked = {
        let mut guard = call.world.state();
        let state = &mut *guard;
        let options = Arc::clone(&state.options);
        with_limiter(call, identity, state, &options, |limiter| {
            limiter.question(&caller, now_ns, &limited)
        })?
        .map(|question| (options, question))
    };
    let Some((options, question)) = asked else {
        return Ok(None);
    };
    let shown = Shown {
        partition_keys: options.partition_keys,
        concurrency: options.announce_concurrency,
    };
    let decided = shared.decide(&question).await;
    let fail = decided.is_err().then(|| shared.settings().fail);
    let mut guard = call.world.state();
    let state = &mut *guard;
    let decided = with_limiter(call, identity, state, &options, |limiter| match decided {
        Ok((answer, lease)) => Ok(limiter.answered(&question, &answer, lease, &limited, shown)),
        Err(away) => in_stead(limiter, shared, away, now_ns, &limited, shown),
    })?;
    drop(guard);
    let mut headers = HeaderMap::new();
    if let Some(fail) = fail {
        headers.insert(LIMITS, HeaderValue::from_static(fail.word()));
    }
    let (report, admitted) = match decided {
        None => return Ok(None),
        Some(Ok(decided)) => decided,
        Some(Err(Served::Open(in_progress))) => return Ok(Some((headers, in_progress))),
        Some(Err(Served::Closed(away))) => return Err(Box::new(unavailable(call, &away, headers))),
    };
    call.decided(identity.tier, &report, admitted.as_ref().err());
    options.dialect.write(&mut headers, &report, now_ns);
    match admitted {
        Ok(in_progress) => Ok(Some((headers, in_progress))),
        Err(refusal) => {
            let mut reply = call.problem(problem::quota_exceeded(&refusal));
            reply.headers.extend(headers);
            options
                .retry_after
                .write(&mut reply.headers, refusal.wait_ns, now_ns);
            Err(Box::new(reply))
        }
    }
}

/// Whose counts they are, without the terms.
pub(crate) fn caller(session: &str, tenant: &str, tier: &str) -> String {
    format!("{session}/{tenant}/{tier}")
}

/// What the fail modes do that look at no counts.
enum Served {
    Open(InProgress),
    Closed(StoreAway),
}

fn in_stead(
    limiter: &mut Limiter,
    shared: &SharedLimits,
    away: StoreAway,
    now_ns: u64,
    limited: &LimitedCall<'_>,
    shown: Shown,
) -> Result<Decided, Served> {
    match shared.settings().fail {
        LimitsFail::Closed => {
            limiter.refused += 1;
            Err(Served::Closed(away))
        }
        LimitsFail::Open => {
            limiter.allowed += 1;
            Err(Served::Open(limiter.begun()))
        }
        LimitsFail::Local => {
            let share = limiter.share(shared.settings().share, now_ns);
            let decided = share.admit(now_ns, limited, shown);
            match decided.1 {
                Ok(_) => limiter.allowed += 1,
                Err(_) => limiter.refused += 1,
            }
            Ok(decided)
        }
    }
}

fn with_limiter<T>(
    call: &Call,
    identity: &Identity,
    state: &mut State,
    options: &Options,
    use_it: impl FnOnce(&mut Limiter) -> T,
) -> Result<Option<T>, Box<Reply>> {
    let tenant = state
        .tenant(&identity.tenant)
        .map_err(|_| Box::new(call.problem(records::too_many_tenants())))?;
    Ok(tenant.limiter(identity.tier, options).map(use_it))
}

fn unavailable(call: &Call, away: &StoreAway, headers: HeaderMap) -> Reply {
    let problem = Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "limits_unavailable",
        format!("{AWAY}, and this gateway lets nobody in without it; wait 1 s ({away})"),
    )
    .of_type(
        REDUCED_CAPACITY,
        Some("Request cannot be satisfied due to temporary server capacity constraints"),
    );
    let mut reply = call.problem(problem);
    reply.headers.extend(headers);
    reply
        .headers
        .insert(RETRY_AFTER, HeaderValue::from_static("1"));
    reply
}
