//! Looks at what a shared store has counted, and uses nothing of it: for those who watch.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::future::join_all;
use tokio::time::timeout;

use super::{Answer, Question, SharedLimits, caller};
use crate::lock::lock;
use crate::tier::Tier;
use crate::world::World;

/// Callers that are looked at at the same time.
const AT_ONCE: usize = 32;

/// Calls in progress in all gateways that share the store, by tenant and tier.
pub(crate) type InProgressOfAll = HashMap<(String, Tier), u32>;

impl SharedLimits {
    /// The counts that a question is about; none while the store is away, or where they are to be forgotten.
    async fn look(&self, question: &Question) -> Option<Answer> {
        let is_stale = || lock(&self.stale).contains(&question.place);
        if self.state().away || is_stale() {
            return None;
        }
        // One that cannot be admitted changes nothing, and is answered with the counts as they are.
        let asked = self.store.decide(question, None, &[]);
        let answer = timeout(self.settings.deadline, asked).await.ok()?.ok()?;
        (!answer.admitted && !answer.tallies.is_empty()).then_some(answer)
    }
}

impl World {
    /// Learns what the shared store has counted of this session's callers, at most so many; answers what of them is in progress
    /// anywhere. Nothing is known of those whom this gateway has not decided about yet, nor without a shared store.
    pub(crate) async fn look_at_shared_limits(&self, most: usize) -> InProgressOfAll {
        let mut in_progress = InProgressOfAll::new();
        let Some(shared) = self.surroundings.shared_limits.clone() else {
            return in_progress;
        };
        let now_ns = self.clock.now_ns();
        let questions: Vec<(String, Tier, Question)> = {
            let mut state = self.state();
            let of_all = state.tenants().flat_map(|(tenant, own)| {
                own.limiters().map(move |(tier, limiter)| {
                    let caller = caller(&self.name, tenant, tier.name());
                    (tenant.to_owned(), tier, limiter.glance(&caller, now_ns))
                })
            });
            of_all.take(most).collect()
        };
        for some in questions.chunks(AT_ONCE) {
            let looks = some.iter().map(|(.., question)| shared.look(question));
            let answers = join_all(looks).await;
            let mut guard = self.state();
            let state = &mut *guard;
            let options = Arc::clone(&state.options);
            for ((tenant, tier, question), answer) in some.iter().zip(answers) {
                let Some(answer) = answer else { continue };
                let limiter = state.tenant(tenant).ok();
                let limiter = limiter.and_then(|tenant| tenant.limiter(*tier, &options));
                if let Some(limiter) = limiter
                    && limiter.learn(question, &answer)
                {
                    in_progress.insert((tenant.clone(), *tier), answer.at_once);
                }
            }
        }
        in_progress
    }
}
