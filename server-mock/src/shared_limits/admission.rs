//! What a shared store says of calls of the data port, or, while it is away, the fail mode.

use std::sync::Arc;

use http::header::RETRY_AFTER;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::{LimitsFail, SharedLimits, StoreAway};
use crate::admission::{Asking, Decided, shown};
use crate::call::Call;
use crate::limiter::{Limiter, Report, Shown};
use crate::problem::{Problem, REDUCED_CAPACITY};
use crate::quota::{InProgress, Refusal};
use crate::reply::Reply;

/// Says that the limits of this answer are not the store's.
const LIMITS: HeaderName = HeaderName::from_static("x-mock-limits");
const AWAY: &str = "the store of limits cannot be reached";

/// What the store says of a call, or the fail mode in its stead, which `headers` then name.
pub(crate) async fn decide(
    asking: &Asking<'_>,
    shared: &SharedLimits,
    headers: &mut HeaderMap,
) -> Result<Decided, Box<Reply>> {
    let Asking { call, identity, .. } = asking;
    let caller = caller(&call.world.name, &identity.tenant, identity.tier.name());
    let asked = {
        let mut guard = call.world.state();
        let state = &mut *guard;
        let options = Arc::clone(&state.options);
        asking
            .with_limiter(state, &options, |limiter| {
                limiter.question(&caller, asking.now_ns, &asking.limited)
            })?
            .map(|question| (options, question))
    };
    let Some((options, question)) = asked else {
        return Ok(Decided::Unlimited);
    };
    let shown = shown(&options);
    let answered = shared.decide(&question).await;
    if answered.is_err() {
        let fail = shared.settings().fail;
        headers.insert(LIMITS, HeaderValue::from_static(fail.word()));
    }
    let mut guard = call.world.state();
    let state = &mut *guard;
    let served = asking.with_limiter(state, &options, |limiter| match answered {
        Ok((answer, lease)) => {
            let limited = &asking.limited;
            Served::Counted(limiter.answered(&question, &answer, lease, limited, shown))
        }
        Err(away) => in_stead(limiter, shared, away, asking, shown),
    })?;
    drop(guard);
    match served {
        None => Ok(Decided::Unlimited),
        Some(Served::Counted((report, admitted))) => Ok(Decided::Counted {
            options,
            report,
            admitted,
        }),
        Some(Served::Open(in_progress)) => Ok(Decided::Uncounted(in_progress)),
        Some(Served::Closed(away)) => {
            Err(Box::new(unavailable(call, &away, std::mem::take(headers))))
        }
    }
}

/// Whose counts they are, without the terms.
pub(crate) fn caller(session: &str, tenant: &str, tier: &str) -> String {
    format!("{session}/{tenant}/{tier}")
}

/// What was decided, by counts or by a fail mode that looks at none.
enum Served {
    Counted((Report, Result<InProgress, Refusal>)),
    Open(InProgress),
    Closed(StoreAway),
}

fn in_stead(
    limiter: &mut Limiter,
    shared: &SharedLimits,
    away: StoreAway,
    asking: &Asking<'_>,
    shown: Shown,
) -> Served {
    match shared.settings().fail {
        LimitsFail::Closed => {
            limiter.refused += 1;
            Served::Closed(away)
        }
        LimitsFail::Open => {
            limiter.allowed += 1;
            Served::Open(limiter.begun())
        }
        LimitsFail::Local => {
            let share = limiter.share(shared.settings().share, asking.now_ns);
            let decided = share.admit(asking.now_ns, &asking.limited, shown);
            match decided.1 {
                Ok(_) => limiter.allowed += 1,
                Err(_) => limiter.refused += 1,
            }
            Served::Counted(decided)
        }
    }
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
