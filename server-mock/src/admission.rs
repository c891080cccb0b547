//! Lets calls of the data port in by the limits of their tenant, wherever those are counted: here under the session's lock, or in a shared
//! store (`shared_limits`). What is asked, and what a client is told, is the same.

use std::sync::Arc;

use http::HeaderMap;

use crate::call::Call;
use crate::key::Identity;
use crate::limiter::{LimitedCall, Limiter, Report, Shown};
use crate::options::Options;
use crate::quota::{InProgress, Refusal};
use crate::reply::Reply;
use crate::shared_limits;
use crate::tier::Tier;
use crate::world::State;
use crate::{problem, records};

/// The limit headers of an answer and the call's place; nothing where nothing is limited.
pub(crate) type Admitted = Option<(HeaderMap, InProgress)>;

/// A call that asks to be let in.
pub(crate) struct Asking<'a> {
    pub(crate) call: &'a Call,
    pub(crate) identity: &'a Identity,
    pub(crate) now_ns: u64,
    pub(crate) limited: LimitedCall<'a>,
}

/// What came of it.
pub(crate) enum Decided {
    /// Its counts say so.
    Counted {
        options: Arc<Options>,
        report: Report,
        admitted: Result<InProgress, Refusal>,
    },
    /// It is let in without being counted.
    Uncounted(InProgress),
    /// Nothing of it is limited.
    Unlimited,
}

impl Asking<'_> {
    /// Works on the limiter of the caller; `None` where nothing is limited.
    pub(crate) fn with_limiter<T>(
        &self,
        state: &mut State,
        options: &Options,
        work: impl FnOnce(&mut Limiter) -> T,
    ) -> Result<Option<T>, Box<Reply>> {
        let tenant = state
            .tenant(&self.identity.tenant)
            .map_err(|_| Box::new(self.call.problem(records::too_many_tenants())))?;
        Ok(tenant.limiter(self.identity.tier, options).map(work))
    }

    fn decide(&self) -> Result<Decided, Box<Reply>> {
        let mut guard = self.call.world.state();
        let state = &mut *guard;
        let options = Arc::clone(&state.options);
        let decided = self.with_limiter(state, &options, |limiter| {
            limiter.admit(self.now_ns, &self.limited, shown(&options))
        })?;
        Ok(match decided {
            None => Decided::Unlimited,
            Some((report, admitted)) => Decided::Counted {
                options,
                report,
                admitted,
            },
        })
    }
}

/// What of the limits is told.
pub(crate) fn shown(options: &Options) -> Shown {
    Shown {
        partition_keys: options.partition_keys,
        concurrency: options.announce_concurrency,
    }
}

/// Lets a call in, or says why not.
pub(crate) async fn admit(call: &Call, identity: &Identity) -> Result<Admitted, Box<Reply>> {
    if identity.tier == Tier::Unlimited {
        return Ok(None);
    }
    let asking = Asking {
        call,
        identity,
        now_ns: call.world.clock.now_ns(),
        limited: LimitedCall {
            op: call.op.name(),
            path: call.path(),
            tenant: &identity.tenant,
            credential: call.credential.as_deref().unwrap_or_default(),
            body_bytes: call.upload.length,
            tokens: call.number_in_header("x-mock-tokens"),
        },
    };
    let mut headers = HeaderMap::new();
    let decided = match &call.world.surroundings.shared_limits {
        Some(shared) => shared_limits::decide(&asking, shared, &mut headers).await?,
        None => asking.decide()?,
    };
    let (options, report, admitted) = match decided {
        Decided::Unlimited => return Ok(None),
        Decided::Uncounted(in_progress) => return Ok(Some((headers, in_progress))),
        Decided::Counted {
            options,
            report,
            admitted,
        } => (options, report, admitted),
    };
    call.decided(identity.tier, &report, admitted.as_ref().err());
    options.dialect.write(&mut headers, &report, asking.now_ns);
    match admitted {
        Ok(in_progress) => Ok(Some((headers, in_progress))),
        Err(refusal) => {
            let mut reply = call.problem(problem::quota_exceeded(&refusal));
            reply.headers.extend(headers);
            options
                .retry_after
                .write(&mut reply.headers, refusal.wait_ns, asking.now_ns);
            Err(Box::new(reply))
        }
    }
}
