//! A redirect: followed or not, as the client does it.

use gatewright_engine::call::Answer;
use gatewright_engine::redirect::{Redirect, judge_redirect};
use gatewright_engine::{ErrorKind, Now};
use http::{HeaderMap, StatusCode};

use super::set_up::{name_of, url_of};
use super::{World, host_of};
use crate::broken::BrokenRule;
use crate::script::Method;

/// The partition of requests without a credential.
const NOBODY: u64 = u64::MAX;

impl World<'_> {
    /// An answer of the kind 3xx came.
    pub(super) fn redirected(
        &mut self,
        at: usize,
        now: Now,
        status: StatusCode,
        headers: &HeaderMap,
    ) {
        let live = &self.calls[at];
        let (from, plan) = (host_of(live), live.plan);
        let method = match live.method {
            Method::Get => http::Method::GET,
            Method::Post | Method::PostKeyed => http::Method::POST,
        };
        let judged = url_of(from).map_or(Redirect::No, |url| {
            judge_redirect(
                &self.redirects,
                &method,
                &url,
                status,
                headers,
                live.redirects,
            )
        });
        let travels = self.is(BrokenRule::CredentialTravels);
        let client = plan.client as usize;
        let live = &mut self.calls[at];
        let Some(call) = live.call.as_mut() else {
            return;
        };
        match judged {
            Redirect::No => {
                let answer = Answer {
                    status,
                    headers,
                    problem: None,
                };
                call.on_response(now, answer, &mut self.dice[client]);
            }
            Redirect::Follow {
                url,
                method,
                keep_body,
                cross_origin,
            } if !(keep_body && plan.once) => {
                let to = (0..self.script.gateway.hosts)
                    .find(|host| url_of(*host).is_some_and(|known| known.origin() == url.origin()));
                live.host = to.unwrap_or(from);
                live.redirects += 1;
                live.anonymous |= cross_origin && !travels;
                if method == http::Method::GET {
                    live.method = Method::Get;
                } else if live.anonymous && live.method == Method::PostKeyed {
                    // The key stays behind with the other headers.
                    live.method = Method::Post;
                }
                let partition = match live.anonymous {
                    true => NOBODY,
                    false => plan.credential.into(),
                };
                let host = self.engines[client].host(&name_of(live.host));
                call.on_redirect(now, status, headers, host, partition);
                call.set_repeatable(
                    live.method != Method::Post || self.broken == Some(BrokenRule::AllRepeatable),
                );
                if live.anonymous {
                    call.has_nothing_new();
                }
            }
            Redirect::Follow { .. } | Redirect::Refused(_) => {
                call.on_refused(now, status, headers, ErrorKind::Redirect);
            }
        }
        self.came(at, now.instant);
    }
}
