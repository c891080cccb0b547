//! Plays many scenarios at once, and goes on when an adapter dies or stops answering.
//!
//! | What happens | What is done |
//! |---|---|
//! | the adapter dies | a new one is started; each scenario it was in is played again, alone |
//! | it dies again | that scenario failed |
//! | a scenario runs out of time and the adapter no longer says hello | as if it had died |
//! | it cannot be started again | all scenarios that are left failed |

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::adapter::{Adapter, Gone};
use crate::play::{Failure, Outcome, play};
use crate::scenario::Scenario;
use crate::stage::Stage;

/// What became of a scenario.
#[derive(Debug)]
pub(crate) struct Played {
    pub(crate) name: String,
    pub(crate) about: String,
    pub(crate) source: String,
    pub(crate) outcome: Outcome,
    pub(crate) took: Duration,
}

/// Everything a run needs.
pub(crate) struct Run {
    pub(crate) stage: Arc<Stage>,
    pub(crate) command: Vec<String>,
    /// Scenarios at once, where the adapter does not ask for fewer.
    pub(crate) jobs: usize,
    numbers: AtomicUsize,
}

/// What a run came to.
pub(crate) struct Results {
    /// In the order of the scenarios given.
    pub(crate) played: Vec<Played>,
    pub(crate) sdk: String,
    /// What the adapters wrote to their standard errors.
    pub(crate) stderr: String,
}

impl Run {
    pub(crate) fn new(stage: Stage, command: Vec<String>, jobs: usize) -> Self {
        Self {
            stage: Arc::new(stage),
            command,
            jobs: jobs.max(1),
            numbers: AtomicUsize::new(0),
        }
    }

    /// Plays all scenarios. Fails only where the adapter cannot be started at all.
    pub(crate) async fn play_all(self, scenarios: Vec<Scenario>) -> Result<Results, Gone> {
        let run = Arc::new(self);
        let mut results = BTreeMap::new();
        let mut stderr = String::new();
        let adapter = Arc::new(Adapter::start(&run.command).await?);
        let sdk = adapter.hello.sdk.clone();
        let at_once = adapter
            .hello
            .at_once
            .map_or(run.jobs, |most| run.jobs.min(most.max(1)));
        // The slow ones first, so that they do not trail behind the others.
        let mut queue: Vec<(usize, Scenario)> = scenarios.into_iter().enumerate().collect();
        queue.sort_by_key(|(_, scenario)| std::cmp::Reverse(scenario.deadline_ms));
        let mut queue: VecDeque<_> = queue.into();
        let mut again = Vec::new();
        let mut playing = JoinSet::new();
        loop {
            while playing.len() < at_once
                && !adapter.is_gone()
                && let Some((index, scenario)) = queue.pop_front()
            {
                playing.spawn(Arc::clone(&run).play_one(Arc::clone(&adapter), index, scenario));
            }
            match playing.join_next().await {
                Some(Ok((
                    index,
                    scenario,
                    Played {
                        outcome: Outcome::AdapterGone(_),
                        ..
                    },
                ))) => again.push((index, scenario)),
                Some(Ok((index, _, played))) => drop(results.insert(index, played)),
                // A task that panicked shows as a scenario without a result.
                Some(Err(_)) => {}
                None => break,
            }
        }
        stderr.push_str(&said_in_all(adapter).await);
        again.extend(queue);
        again.sort_by_key(|(index, _)| *index);
        run.play_alone(again, &mut results, &mut stderr).await;
        Ok(Results {
            played: results.into_values().collect(),
            sdk,
            stderr,
        })
    }

    /// Plays scenarios one by one, with a new adapter after each that ended one.
    async fn play_alone(
        self: Arc<Self>,
        scenarios: Vec<(usize, Scenario)>,
        results: &mut BTreeMap<usize, Played>,
        stderr: &mut String,
    ) {
        let mut adapter: Option<Arc<Adapter>> = None;
        let mut hopeless: Option<Gone> = None;
        for (index, scenario) in scenarios {
            if adapter.as_ref().is_none_or(|adapter| adapter.is_gone()) && hopeless.is_none() {
                match Adapter::start(&self.command).await {
                    Ok(started) => adapter = Some(Arc::new(started)),
                    Err(gone) => hopeless = Some(gone),
                }
            }
            let (scenario, mut played) = match (&adapter, &hopeless) {
                (Some(adapter), None) => {
                    let (_, scenario, played) = Arc::clone(&self)
                        .play_one(Arc::clone(adapter), index, scenario)
                        .await;
                    (scenario, played)
                }
                (_, gone) => {
                    let gone = gone
                        .clone()
                        .unwrap_or_else(|| Gone("there is no adapter".to_owned()));
                    let played = Played::new(&scenario, Outcome::AdapterGone(gone), Duration::ZERO);
                    (scenario, played)
                }
            };
            if let Outcome::AdapterGone(Gone(why)) = &played.outcome {
                played = Played::new(
                    &scenario,
                    Outcome::Failed(Failure::of(why.clone())),
                    played.took,
                );
            }
            if let Some(adapter) = adapter.take_if(|adapter| adapter.is_gone()) {
                stderr.push_str(&said_in_all(adapter).await);
            }
            results.insert(index, played);
        }
        if let Some(adapter) = adapter {
            stderr.push_str(&said_in_all(adapter).await);
        }
    }

    async fn play_one(
        self: Arc<Self>,
        adapter: Arc<Adapter>,
        index: usize,
        scenario: Scenario,
    ) -> (usize, Scenario, Played) {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed) + 1;
        let started = Instant::now();
        let outcome = play(&self.stage, &adapter, &scenario, number).await;
        if matches!(&outcome, Outcome::Failed(failure) if failure.out_of_time)
            && !adapter.is_well().await
        {
            // Asking ended it; the scenario itself has its verdict.
        }
        let played = Played::new(&scenario, outcome, started.elapsed());
        (index, scenario, played)
    }
}

/// Ends an adapter; everything it wrote to its standard error.
async fn said_in_all(adapter: Arc<Adapter>) -> String {
    match Arc::try_unwrap(adapter) {
        Ok(adapter) => adapter.end().await,
        Err(shared) => shared.stderr(),
    }
}

impl Played {
    fn new(scenario: &Scenario, outcome: Outcome, took: Duration) -> Self {
        Self {
            name: scenario.name.clone(),
            about: scenario.about.clone(),
            source: scenario.source.clone(),
            outcome,
            took,
        }
    }
}
