//! The one thread that writes the data file, and what it has come to.
//!
//! It takes all transactions that wait, up to a bound, commits them as one and tells those who wait for them. When a
//! commit fails, all of them have failed, and so has whatever was made on top of them: the epoch goes up by one, and
//! transactions of an older epoch are refused until their session was read anew.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use super::abort::abort_at;
use super::changes::{Change, Row};
use super::data_file::{DataFile, damaged};
use super::kept::Owner;
use super::trouble::Trouble;
use crate::lock::lock;

/// Transactions that share one commit, at most.
const MAX_GROUP: usize = 1_024;

/// Real time a disk may take before whoever waits for it is told.
const PATIENCE: Duration = Duration::from_secs(30);

/// The sessions of a file, and whether each may have something to send.
pub(crate) type Sessions = Vec<(String, bool)>;

/// The data file of a gateway, as sessions see it.
pub(crate) struct Store {
    path: PathBuf,
    queue: Mutex<Queue>,
    progress: watch::Receiver<Progress>,
    epoch: Arc<AtomicU64>,
    starts: u64,
    loads: AtomicU64,
}

struct Queue {
    /// None when the gateway has stopped.
    jobs: Option<Sender<Job>>,
    /// The number of the last transaction handed in.
    last: u64,
    writer: Option<thread::JoinHandle<()>>,
}

/// How far the writer has come.
#[derive(Clone)]
struct Progress {
    /// All transactions up to this number were committed or have failed.
    done: u64,
    epoch: u64,
    /// Why the epoch went up the last time.
    trouble: Option<Trouble>,
}

enum Job {
    Load(Box<str>, SyncSender<rusqlite::Result<Vec<Row>>>),
    Write(Batch),
}

/// One transaction of one session.
struct Batch {
    number: u64,
    epoch: u64,
    session: Box<str>,
    changes: Vec<Change>,
}

impl Store {
    /// Opens the data file and starts its writer. Answers the names of the sessions in it too; where they are more than
    /// `most`, those that may have something to send come first, with true.
    pub(crate) fn open(
        path: &Path,
        max_bytes: u64,
        most: usize,
    ) -> io::Result<(Arc<Self>, Sessions)> {
        let file = DataFile::open(path, max_bytes)?;
        let sessions = file
            .sessions(most)
            .map_err(|error| damaged(path, &error.to_string()))?;
        let (jobs, waiting) = channel();
        let first = Progress {
            done: 0,
            epoch: 0,
            trouble: None,
        };
        let (told, progress) = watch::channel(first);
        let epoch = Arc::<AtomicU64>::default();
        let starts = file.starts;
        let writer = Writer {
            file,
            told,
            epoch: Arc::clone(&epoch),
        };
        let writer = thread::Builder::new()
            .name("gatewright-data".into())
            .spawn(move || writer.run(&waiting))?;
        let queue = Queue {
            jobs: Some(jobs),
            last: 0,
            writer: Some(writer),
        };
        let store = Self {
            path: path.into(),
            queue: Mutex::new(queue),
            progress,
            epoch,
            starts,
            loads: AtomicU64::new(0),
        };
        Ok((Arc::new(store), sessions))
    }

    /// Goes up by one whenever writing failed: what was in memory then is not what is in the file.
    pub(super) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// Hands in one transaction, in order; answers its number. `owner` may have lost its session meanwhile.
    pub(super) fn submit(&self, owner: &Owner, changes: Vec<Change>) -> Option<u64> {
        let mut queue = lock(&self.queue);
        if owner.is_gone() {
            return None;
        }
        let number = queue.last + 1;
        let batch = Batch {
            number,
            epoch: owner.epoch(),
            session: owner.session.clone(),
            changes,
        };
        queue.jobs.as_ref()?.send(Job::Write(batch)).ok()?;
        queue.last = number;
        Some(number)
    }

    /// From now on nothing of `owner` is taken any more, so that its session may be read by another.
    pub(super) fn part_with(&self, owner: &Owner) {
        let _queue = lock(&self.queue);
        owner.leave();
    }

    /// Deletes all rows of a session, or of all, behind all that was handed in before.
    pub(crate) fn erase(&self, session: Option<&str>) {
        let mut queue = lock(&self.queue);
        let number = queue.last + 1;
        let batch = Batch {
            number,
            epoch: self.epoch(),
            session: session.unwrap_or_default().into(),
            changes: vec![session.map_or(Change::ClearAll, |_| Change::Clear)],
        };
        let sent = queue.jobs.as_ref().map(|jobs| jobs.send(Job::Write(batch)));
        if matches!(sent, Some(Ok(()))) {
            queue.last = number;
        }
    }

    /// Waits until the transaction `number` is on disk, and all before it; refuses it if anything of `epoch` failed.
    pub(super) async fn settled(&self, number: u64, epoch: u64) -> Result<(), Trouble> {
        let mut progress = self.progress.clone();
        let done = progress.wait_for(|now| now.done >= number);
        let now = match timeout(PATIENCE, done).await {
            Ok(Ok(now)) => now,
            Ok(Err(_)) => return Err(Trouble::Gone),
            Err(_) => return Err(Trouble::Slow),
        };
        if now.epoch == epoch {
            return Ok(());
        }
        Err(now.trouble.clone().unwrap_or(Trouble::Gone))
    }

    /// Waits until all that was handed in so far is on disk.
    pub(crate) async fn all_settled(&self) -> Result<(), Trouble> {
        let last = lock(&self.queue).last;
        let epoch = self.progress.borrow().epoch;
        self.settled(last, epoch).await
    }

    /// Whether nothing up to `number` is waiting, and nothing of `epoch` failed.
    pub(super) fn is_settled(&self, number: u64, epoch: u64) -> bool {
        let now = self.progress.borrow();
        now.done >= number && now.epoch == epoch
    }

    /// Reads a session's rows, behind all that was handed in before.
    pub(super) fn load(&self, session: &str) -> Result<Vec<Row>, Trouble> {
        let (answer, rows) = sync_channel(1);
        {
            let queue = lock(&self.queue);
            let jobs = queue.jobs.as_ref().ok_or(Trouble::Gone)?;
            jobs.send(Job::Load(session.into(), answer))
                .map_err(|_| Trouble::Gone)?;
        }
        match rows.recv_timeout(PATIENCE) {
            Ok(Ok(rows)) => Ok(rows),
            Ok(Err(error)) => Err(Trouble::of(&error)),
            Err(RecvTimeoutError::Timeout) => Err(Trouble::Slow),
            Err(RecvTimeoutError::Disconnected) => Err(Trouble::Gone),
        }
    }

    /// Tells this life of a session from its lives before, so that request ids never come twice; 0 in a new file.
    pub(super) fn next_life(&self, is_new: bool) -> u64 {
        if is_new && self.starts == 0 {
            return 0;
        }
        (self.starts << 32) | (self.loads.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// An error of starting: a row that cannot be read.
    pub(crate) fn unreadable(&self, why: &str) -> io::Error {
        damaged(&self.path, why)
    }

    /// Writes what is waiting, closes the file, and takes nothing more. Blocks until that is done.
    pub(crate) fn close(&self) {
        let writer = {
            let mut queue = lock(&self.queue);
            queue.jobs = None;
            queue.writer.take()
        };
        if let Some(writer) = writer {
            // An error means that it ended before.
            let _ = writer.join();
        }
    }
}

struct Writer {
    file: DataFile,
    told: watch::Sender<Progress>,
    epoch: Arc<AtomicU64>,
}

impl Writer {
    fn run(self, jobs: &Receiver<Job>) {
        while let Ok(job) = jobs.recv() {
            let mut group = Vec::new();
            let mut next = Some(job);
            while let Some(job) = next.take() {
                match job {
                    Job::Write(batch) => {
                        group.push(batch);
                        if group.len() < MAX_GROUP {
                            next = jobs.try_recv().ok();
                        }
                    }
                    Job::Load(session, answer) => {
                        self.commit(std::mem::take(&mut group));
                        // Whoever asked may have given up.
                        let _ = answer.send(self.file.rows(&session));
                    }
                }
            }
            self.commit(group);
        }
        self.file.close();
    }

    /// Commits a group as one transaction, and tells what came of it.
    fn commit(&self, group: Vec<Batch>) {
        let Some(last) = group.last().map(|batch| batch.number) else {
            return;
        };
        let epoch = self.epoch.load(Ordering::Acquire);
        abort_at("before-transaction");
        let written = self.write(group.iter().filter(|batch| batch.epoch == epoch));
        if written.is_err() {
            self.file.roll_back();
            self.epoch.store(epoch + 1, Ordering::Release);
        }
        self.told.send_modify(|progress| {
            progress.done = last;
            if let Err(trouble) = written {
                progress.epoch = epoch + 1;
                progress.trouble = Some(trouble);
            }
        });
    }

    fn write<'a>(&self, batches: impl Iterator<Item = &'a Batch>) -> Result<(), Trouble> {
        let trouble = |error: rusqlite::Error| Trouble::of(&error);
        self.file.begin().map_err(trouble)?;
        for batch in batches {
            for change in &batch.changes {
                self.file.apply(&batch.session, change)?;
            }
        }
        abort_at("before-commit");
        self.file.commit().map_err(trouble)?;
        abort_at("after-commit");
        Ok(())
    }
}
